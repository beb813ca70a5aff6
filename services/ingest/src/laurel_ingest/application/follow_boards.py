"""Has boards computed anew whose signals or bots have changed: at once, and seldom while much
comes in.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import inf

from laurel_common.notices import Notices, tell_of
from laurel_ingest.application.inbox import Scoring

# What a stream writes in bulk is told of once it pauses for so long, and this often while it does
# not: a run beside it takes the time of both.
PAUSE, LONGEST_WAIT = 1.0, 15.0


class BulkWrite:
    """Whose signals a stream writes, or several that are one work, and when they last did."""

    def __init__(
        self, timer: Callable[[], float] = time.monotonic, wake: Callable[[], None] = lambda: None
    ) -> None:
        """`wake` is called where something ends before the whole does."""
        self._timer = timer
        self._wake = wake
        self._wrote_at: dict[int, float] = {}
        self._batches: Counter[int | None] = Counter()

    def begins(self, of: int | None = None) -> None:
        """A batch is being written; `of` one installation's signals, where that is known."""
        self._batches[of] += 1

    def wrote(self, installation_ids: Iterable[int], of: int | None = None) -> None:
        """It is committed, with signals of these."""
        self._batches[of] -= 1
        for installation_id in installation_ids:
            self._wrote_at[installation_id] = self._timer()

    def ended(self, installation_id: int) -> None:
        """Nothing more comes of the installation's."""
        self._wrote_at.pop(installation_id, None)
        self._wake()

    def paused_for(self, installation_id: int) -> float:
        """Seconds since it last wrote any of the installation's."""
        if installation_id not in self._wrote_at:
            return inf
        is_busy = self._batches[None] or self._batches[installation_id]
        return 0.0 if is_busy else self._timer() - self._wrote_at[installation_id]


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
        self._urgent: set[int] = set()
        self._waiting_since: dict[int, float] = {}

    def wake(self) -> None:
        """Something was committed."""
        self.on_wake()

    def hurry(self, installation_ids: Iterable[int]) -> None:
        """Something of these was committed that people wait to see, whoever writes in bulk."""
        self._urgent.update(installation_ids)
        self.on_wake()

    def lasting_bulk_write(self) -> BulkWrite:
        """One that lasts as long as the process, and tells what has ended."""
        bulk = BulkWrite(self._timer, self.wake)
        self._bulk_writes.append(bulk)
        return bulk

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
        urgent, self._urgent = self._urgent, set()
        try:
            pending = await self._notices.pending()
            # Another process may have told what this one let wait.
            urgent &= pending.keys()
            waiting = self._waiting_since
            self._waiting_since = {each: waiting[each] for each in pending if each in waiting}
            due = [each for each in pending if each in urgent or self._is_due(each)]
            for told in await tell_of(self._notices, pending, self._scoring.start, due):
                self._waiting_since.pop(told, None)
                urgent.discard(told)
        finally:
            self._urgent |= urgent  # what could not be told is as urgent next time

    def _is_due(self, installation_id: int) -> bool:
        now = self._timer()
        waited = now - self._waiting_since.setdefault(installation_id, now)
        pauses = (bulk.paused_for(installation_id) for bulk in self._bulk_writes)
        return waited >= LONGEST_WAIT or min(pauses, default=inf) >= PAUSE
