"""Notes how far an attempt is while it works, so that whoever watches sees it move."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from laurel_common.errors import LaurelError
from laurel_scoring.application.ports import RunStore
from laurel_scoring.domain.runs import Phase, Progress, Run

log = structlog.get_logger(__name__)

# A note is a small transaction; people do not see faster than this.
PAUSE_SECONDS = 0.2


class Notes:
    """Takes progress as it comes; what is written is the newest."""

    def __init__(self) -> None:
        self.newest = Progress(Phase.READING)
        self.changed = asyncio.Event()

    def read(self, count: int, expected: int) -> None:
        """`count` signals are there by now."""
        self._note(Progress(Phase.READING, count, max(count, expected)))

    def publishing(self, signals: int, boards: int) -> None:
        """All `signals` are there and `boards` boards are being made of them."""
        self._note(Progress(Phase.PUBLISHING, signals, signals, 0, boards))

    def published(self, count: int) -> None:
        """`count` boards are readable by now."""
        at = self.newest
        read, expected = at.signals_read, at.signals_expected
        self._note(Progress(Phase.PUBLISHING, read, expected, count, at.boards_total))

    def _note(self, progress: Progress) -> None:
        self.newest = progress
        self.changed.set()


@asynccontextmanager
async def noting(runs: RunStore, run: Run) -> AsyncIterator[Notes]:
    """Notes of `run`'s attempt, written beside it. One that can't be written is left out."""
    notes = Notes()
    writing = asyncio.create_task(_write(runs, run, notes))
    try:
        yield notes
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


async def _write(runs: RunStore, run: Run, notes: Notes) -> None:
    while True:
        await notes.changed.wait()
        notes.changed.clear()
        try:
            await runs.note(run, notes.newest)
        except LaurelError as error:
            log.info("progress_not_noted", run_id=run.id, reason=error.reason)
        await asyncio.sleep(PAUSE_SECONDS)
