"""Reads all that a scoring depends on: signals and roster at the same time, then the bots."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from laurel_scoring.application.ports import AllSignals, Directory, OnRead
from laurel_scoring.domain.columns import Signals
from laurel_scoring.domain.digests import input_mark
from laurel_scoring.domain.merging import Pairs
from laurel_scoring.domain.roster import Roster
from laurel_scoring.domain.timeline import Timeline


@dataclass(frozen=True)
class Inputs:
    """What a scoring reads; `mark` names the whole of it, `changed` is what SignalsRead says."""

    signals: Signals
    timeline: Timeline
    roster: Roster
    mark: str
    changed: Pairs | None = None


class ReadInputs:
    """Puts the inputs together from ingest and identity."""

    def __init__(self, signals: AllSignals, directory: Directory) -> None:
        self._signals = signals
        self._directory = directory

    async def __call__(
        self, installation_id: int, *, until: datetime, on_read: OnRead | None = None
    ) -> Inputs:
        """The inputs up to and including `until`. Raises RemoteError."""
        reading = asyncio.create_task(
            self._signals.read(installation_id, until=until, on_read=on_read)
        )
        listing = asyncio.create_task(self._directory.roster(installation_id))
        try:
            read, roster = await asyncio.gather(reading, listing)
        finally:
            # Where one of them failed, the other is no longer wanted.
            reading.cancel()
            listing.cancel()
        sorting = asyncio.create_task(asyncio.to_thread(Timeline.of, read.signals))
        bots = await self._directory.bots(read.signals.users.tolist())
        roster = replace(roster, bots=bots | read.bots)
        mark = input_mark(read.mark, roster)
        return Inputs(read.signals, await sorting, roster, mark, read.changed)
