"""Has boards computed anew whose signals or bots have changed: at once, and seldom while much
comes in.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from laurel_common.errors import RemoteError
from laurel_ingest.application.inbox import Scoring, ScoringNotices

log = structlog.get_logger(__name__)

# While a bulk write goes on, an installation is told of after these pauses, each twice the last:
# every run reads what the one before has read.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 16.0


@dataclass(frozen=True, slots=True)
class _Pace:
    """When an installation was last told of, and how long to leave it alone after that."""

    told_at: float
    pause: float


class FollowBoards:
    """Tells scoring of every change that was noted; what can't be told now is told later."""

    def __init__(
        self,
        notices: ScoringNotices,
        scoring: Scoring,
        *,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notices = notices
        self._scoring = scoring
        self._timer = timer
        # Has this called soon; set by whoever calls it.
        self.on_wake: Callable[[], None] = lambda: None
        self._bulk_writes = 0
        self._paces: dict[int, _Pace] = {}

    def wake(self) -> None:
        """Something was committed."""
        self.on_wake()

    @contextmanager
    def bulk_write(self) -> Iterator[None]:
        """While it lasts, what changes again and again is told of less and less often."""
        self._bulk_writes += 1
        try:
            yield
        finally:
            self._bulk_writes -= 1
            if not self._bulk_writes:
                self._paces.clear()
                self.wake()

    async def __call__(self) -> None:
        """Goes through the notices once. Raises the typed errors of the database."""
        for installation_id, changes in (await self._notices.pending()).items():
            if not self._is_due(installation_id):
                continue
            try:
                await self._scoring.start(installation_id)
            except RemoteError as error:
                if error.code != "NOT_FOUND":
                    log.warning(
                        "scoring_not_told", installation_id=installation_id, error=repr(error)
                    )
                    continue
            await self._notices.told(installation_id, changes)
            self._pace(installation_id)

    def _is_due(self, installation_id: int) -> bool:
        pace = self._paces.get(installation_id)
        return pace is None or self._timer() - pace.told_at >= pace.pause

    def _pace(self, installation_id: int) -> None:
        if self._bulk_writes:
            before = self._paces.get(installation_id)
            pause = FIRST_PAUSE if before is None else min(2 * before.pause, LONGEST_PAUSE)
            self._paces[installation_id] = _Pace(self._timer(), pause)
