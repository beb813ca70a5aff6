"""Several programs kept running together and stopped in waves."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from laurel_cli.supervision.program import Keeper, Program, Report


@dataclass(frozen=True, slots=True)
class Supervision:
    """The keepers of the programs that are being kept, by name."""

    keepers: dict[str, Keeper]


@asynccontextmanager
async def supervise(
    waves: Sequence[Sequence[Program]], *, report: Report, grace_seconds: float
) -> AsyncIterator[Supervision]:
    """Starts all programs at once; at the block's end stops one wave after the other.

    Who calls others stands in an earlier wave than they do, so that nobody's last calls fail.
    """
    kept = [
        [Keeper(each, report=report, grace_seconds=grace_seconds) for each in wave]
        for wave in waves
    ]
    keepers = [keeper for wave in kept for keeper in wave]
    tasks = [asyncio.create_task(keeper.keep()) for keeper in keepers]
    try:
        yield Supervision({keeper.program.name: keeper for keeper in keepers})
    finally:
        for wave in kept:
            await asyncio.gather(*(keeper.stop() for keeper in wave))
        await asyncio.gather(*tasks)
