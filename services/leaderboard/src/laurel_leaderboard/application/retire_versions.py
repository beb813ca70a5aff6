"""Takes versions through the end of their life, by schedule, on one replica at a time.

What they leave to history is taken first.
"""

import asyncio
from datetime import timedelta

import structlog

from laurel_common.clock import Clock
from laurel_common.errors import LaurelError
from laurel_leaderboard.application.keep_history import KeepHistory
from laurel_leaderboard.application.ports import Retention

log = structlog.get_logger(__name__)


class RetireVersions:
    """superseded → expired past their time → purged `purge_delay` later.

    The delay lets a page that is being read while its version expires be read to its end.
    """

    def __init__(
        self,
        retention: Retention,
        history: KeepHistory,
        clock: Clock,
        *,
        interval: timedelta,
        purge_delay: timedelta,
    ) -> None:
        self._retention = retention
        self._history = history
        self._clock = clock
        self._interval = interval.total_seconds()
        self._purge_delay = purge_delay

    async def __call__(self) -> tuple[int, int]:
        """One pass: how many were expired and purged; (0, 0) while another replica is at it.

        Nothing is purged before the days that are over are written: whoever was down for long
        would otherwise purge what those days are made of.
        """
        if await self._history() is None:
            return 0, 0
        now = self._clock.now()
        expired, purged = await self._retention.retire(now, now - self._purge_delay)
        if expired or purged:
            log.info("versions_retired", expired=expired, purged=purged)
        return expired, purged

    async def run(self) -> None:
        """Passes at the interval, until cancelled; a failed one is tried again at the next."""
        while True:
            try:
                await self()
            except LaurelError as error:
                log.warning("retention_failed", reason=error.reason)
            except Exception:  # a fault in one pass must not end all later ones
                log.exception("retention_failed")
            await asyncio.sleep(self._interval)
