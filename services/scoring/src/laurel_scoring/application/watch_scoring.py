"""Tells of runs as they go on: one poll for all who watch in this process."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager, suppress

import structlog

from laurel_common.errors import DatabaseUnavailable, LaurelError
from laurel_scoring.application.ports import RunStore
from laurel_scoring.domain.errors import ScoringNotFound
from laurel_scoring.domain.runs import Run

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.2
# For so long the database may be away without anybody who watches having to know.
PATIENCE_SECONDS = 10.0


class _Watcher:
    """The newest that one watcher has not been told yet; what he was too slow for is skipped."""

    def __init__(self) -> None:
        self._news: Run | LaurelError = ScoringNotFound()
        self._there = asyncio.Event()

    def tell(self, news: Run | LaurelError) -> None:
        self._news = news
        self._there.set()

    async def next(self) -> Run:
        await self._there.wait()
        self._there.clear()
        if isinstance(self._news, LaurelError):
            raise self._news
        return self._news


class WatchScoring:
    """Watches runs. The database is asked while somebody watches, for all of them at once."""

    def __init__(
        self,
        runs: RunStore,
        *,
        poll_seconds: float = POLL_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._runs = runs
        self._poll_seconds = poll_seconds
        self._patience_seconds = patience_seconds
        self._watchers: dict[int, set[_Watcher]] = defaultdict(set)
        self._polling: asyncio.Task[None] | None = None

    async def __call__(self, installation_id: int, run_id: int) -> AsyncGenerator[Run]:
        """The run now, then whenever it has changed, until it has ended.

        Raises ScoringNotFound, and DatabaseUnavailable where the database stays away.
        """
        run = await self._runs.get(installation_id, run_id)
        yield run
        with self._watching(run_id) as watcher:
            while run.is_open:
                news = await watcher.next()
                if news != run:
                    run = news
                    yield run

    async def close(self) -> None:
        """Ends the poll."""
        if self._polling is not None:
            self._polling.cancel()
            with suppress(asyncio.CancelledError):
                await self._polling

    @contextmanager
    def _watching(self, run_id: int) -> Iterator[_Watcher]:
        watcher = _Watcher()
        self._watchers[run_id].add(watcher)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
        try:
            yield watcher
        finally:
            self._watchers[run_id].discard(watcher)
            if not self._watchers[run_id]:
                del self._watchers[run_id]

    async def _poll(self) -> None:
        """Polls for as long as anybody watches."""
        answered = time.monotonic()
        while self._watchers:
            await asyncio.sleep(self._poll_seconds)
            asked = list(self._watchers)
            try:
                found = await self._runs.get_many(asked)
            except LaurelError as error:
                log.info("watched_runs_not_read", reason=error.reason)
                if time.monotonic() - answered >= self._patience_seconds:
                    self._tell_all(error)
                    answered = time.monotonic()
            except Exception:  # those who watch must not wait for a poll that has ended
                log.exception("watched_runs_not_read")
                self._tell_all(DatabaseUnavailable())
            else:
                answered = time.monotonic()
                self._tell(asked, found)

    def _tell(self, asked: Sequence[int], found: dict[int, Run]) -> None:
        # Of a run that somebody began to watch meanwhile the answer says nothing.
        for run_id in asked:
            for watcher in self._watchers.get(run_id, ()):
                watcher.tell(found.get(run_id) or ScoringNotFound())

    def _tell_all(self, error: LaurelError) -> None:
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.tell(error)
