"""A reader who looks at boards all the while, whatever happens to the services."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from laurel.common.v1 import board_pb2
from laurel_common.errors import RemoteError
from tests.support.stack_running import Laurel, until
from tests.support.world_actions import Reader, reading
from tests.support.world_boards import Row, shown_rows

# What a reader may be told while something is away; anything else fails the test.
_AWAY = ("UNAVAILABLE", "DEADLINE_EXCEEDED")
_PAUSE = 0.02


@dataclass(slots=True)
class Watch:
    """What was seen: the rows of each version, and the versions of each board in order.

    Each walk is checked for being one whole version as it is made (`Reader.walk`), and a version
    that is seen again must show what it showed before.
    """

    walks: int = 0
    refusals: int = 0
    rows: dict[int, list[Row]] = field(default_factory=dict)
    versions: dict[bytes, list[int]] = field(default_factory=dict)

    async def look(self, reader: Reader, board: board_pb2.Board) -> None:
        """Walks a board once, by small pages."""
        key = board.SerializeToString(deterministic=True)
        try:
            walk = await reader.walk(board, page_size=3)
        except RemoteError as error:
            never_seen = key not in self.versions
            if error.code not in _AWAY and not (error.reason == "BOARD_NOT_FOUND" and never_seen):
                raise
            self.refusals += 1
            return
        self.walks += 1
        rows = shown_rows(walk.entries)
        assert self.rows.setdefault(walk.first.materialization_id, rows) == rows
        seen = self.versions.setdefault(key, [])
        if not seen or seen[-1] != walk.first.version:
            seen.append(walk.first.version)

    async def looks_on(self) -> None:
        """Waits until boards have been read once more from now on."""
        walks = self.walks
        await until(lambda: self.walks >= walks + 2, "boards are readable")


@asynccontextmanager
async def watching(laurel: Laurel, boards: Sequence[board_pb2.Board]) -> AsyncIterator[Watch]:
    """Reads the boards in turn while the block runs; what it saw wrong fails the block."""
    watch = Watch()

    async def watch_on() -> None:
        async with reading(laurel) as reader:
            while True:
                for board in boards:
                    await watch.look(reader, board)
                    await asyncio.sleep(_PAUSE)

    task = asyncio.create_task(watch_on())
    try:
        yield watch
        await until(lambda: task.done() or watch.walks, "boards are readable")
    finally:
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(outcome, BaseException) and not isinstance(outcome, asyncio.CancelledError):
        raise outcome
    # Nobody is shown an older version than the one before.
    for seen in watch.versions.values():
        assert seen == sorted(seen), f"versions were shown in this order: {seen}"
