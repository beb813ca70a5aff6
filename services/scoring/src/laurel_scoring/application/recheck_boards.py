"""The schedule: asks for a run wherever boards are due, and forgets runs that ended long ago."""

import structlog

from laurel_common.clock import Clock
from laurel_scoring.application.ports import RunStore
from laurel_scoring.domain.schedule import RUNS_KEPT

log = structlog.get_logger(__name__)

# Every minute; midnight is one of its times.
CRON = "* * * * *"
AT_ONCE = 200


class RecheckBoards:
    """Done by one process at a time, however many there are."""

    def __init__(self, runs: RunStore, clock: Clock) -> None:
        self._runs = runs
        self._clock = clock

    async def __call__(self) -> None:
        """Asks for what is due by now. Raises DatabaseUnavailable; the next time is soon."""
        now = self._clock.now()
        asked = AT_ONCE
        total = 0
        while asked == AT_ONCE:
            asked = await self._runs.request_due(now, limit=AT_ONCE)
            total += asked
        forgotten = await self._runs.forget_ended(now - RUNS_KEPT)
        if total or forgotten:
            log.info("boards_rechecked", installations=total, runs_forgotten=forgotten)
