"""Has boards computed anew whose signals or bots have changed: at once, and seldom while much
comes in.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import inf

from laurel_common.notices import Notices, tell_of
from laurel_ingest.application.inbox import Scoring

# What a stream writes in bulk is told of once it pauses for so long, and this often while it does
# not: a run beside it takes the time of both.
PAUSE, LONGEST_WAIT = 1.0, 15.0


class BulkWrite:
    """Whose signals a stream writes, and when it last did."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._wrote_at: dict[int, float] = {}
        self._is_busy = False

    def begins(self) -> None:
        """A batch is being written."""
        self._is_busy = True

    def wrote(self, installation_ids: Iterable[int]) -> None:
        """It is committed, with signals of these."""
        self._is_busy = False
        for installation_id in installation_ids:
            self._wrote_at[installation_id] = self._timer()

    def paused_for(self, installation_id: int) -> float:
        """Seconds since it last wrote any of the installation's."""
        if installation_id not in self._wrote_at:
            return inf
        return 0.0 if self._is_busy else self._timer() - self._wrote_at[installation_id]


class FollowBoards:
    """Tells scoring of every change that was noted; what can't be told now is told later."""

    def __init__(
        self,
        notices: Notices[int],
        scoring: Scoring,
        *,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notices = notices
        self._scoring = scoring
        self._timer = timer
        # Has this called soon; set by whoever calls it.
        self.on_wake: Callable[[], None] = lambda: None
        self._bulk_writes: list[BulkWrite] = []
        self._waiting_since: dict[int, float] = {}

    def wake(self) -> None:
        """Something was committed."""
        self.on_wake()

    @contextmanager
    def bulk_write(self) -> Iterator[BulkWrite]:
        """While it lasts, what it says to have written is told of seldom; at its end, at once."""
        bulk = BulkWrite(self._timer)
        self._bulk_writes.append(bulk)
        try:
            yield bulk
        finally:
            self._bulk_writes.remove(bulk)
            self.wake()

    async def __call__(self) -> None:
        """Goes through the notices once. Raises the typed errors of the database."""
        pending = await self._notices.pending()
        # Another process may have told what this one let wait.
        waiting = self._waiting_since
        self._waiting_since = {each: waiting[each] for each in pending if each in waiting}
        due = [each for each in pending if self._is_due(each)]
        for told in await tell_of(self._notices, pending, self._scoring.start, due):
            self._waiting_since.pop(told, None)

    def _is_due(self, installation_id: int) -> bool:
        now = self._timer()
        waited = now - self._waiting_since.setdefault(installation_id, now)
        pauses = (bulk.paused_for(installation_id) for bulk in self._bulk_writes)
        return waited >= LONGEST_WAIT or min(pauses, default=inf) >= PAUSE
