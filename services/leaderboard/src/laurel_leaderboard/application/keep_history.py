"""Notes how each board stood at the end of each UTC day, by schedule, on one replica at a time."""

from datetime import timedelta

import structlog

from laurel_common.clock import Clock
from laurel_leaderboard.application.ports import DayKeeper
from laurel_leaderboard.domain.history import days_due, last_day_over, oldest_day_kept

# Days that are forgotten in one transaction: boards times days.
PRUNE_SLICE = 500

log = structlog.get_logger(__name__)


class KeepHistory:
    """Writes the days that are over, those missed while nobody was there included, as far as the
    versions that stood then still have rows; forgets days after 400.

    `delay` lets publishes that began before midnight come to their end.
    """

    def __init__(self, keeper: DayKeeper, clock: Clock, *, delay: timedelta) -> None:
        self._keeper = keeper
        self._clock = clock
        self._delay = delay

    async def __call__(self) -> int | None:
        """One pass: how many boards' days were written; None while another replica is at it."""
        now = self._clock.now()
        last, oldest = last_day_over(now, self._delay), oldest_day_kept(now)
        written = 0
        for progress in await self._keeper.behind(last):
            for day in days_due(progress.last_day, last, oldest):
                found = await self._keeper.write_day(progress.preset_id, day)
                if found is None:
                    return None
                written += found
        while await self._keeper.prune(oldest, PRUNE_SLICE) == PRUNE_SLICE:
            pass
        if written:
            log.info("history_written", day=last.isoformat(), boards=written)
        return written
