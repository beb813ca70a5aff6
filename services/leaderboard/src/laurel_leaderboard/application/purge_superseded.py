"""Purges versions past their retention when an operator asks, slice by slice."""

from datetime import datetime

from laurel_common.clock import Clock
from laurel_common.errors import ConcurrentChange, InvalidRequest
from laurel_leaderboard.application.keep_history import KeepHistory
from laurel_leaderboard.application.ports import Retention

# Versions in a transaction: their rows are deleted together.
SLICE = 500


class PurgeSuperseded:
    """What was purged stays so where a later slice fails: asking again goes on from there."""

    def __init__(self, retention: Retention, history: KeepHistory, clock: Clock) -> None:
        self._retention = retention
        self._history = history
        self._clock = clock

    async def __call__(self, before: datetime | None) -> int:
        """Purges what ran out before `before` (None: now); how many versions.

        Raises InvalidRequest for an instant to come, ConcurrentChange while another replica is
        writing the days that these versions are needed for.
        """
        now = self._clock.now()
        if before is not None and before > now:
            raise InvalidRequest.of(("before_time", "is in the future"))
        if await self._history() is None:
            raise ConcurrentChange("the end of a day is being written; try again")
        purged = 0
        while found := await self._retention.purge_slice(before or now, SLICE):
            purged += found
        return purged
