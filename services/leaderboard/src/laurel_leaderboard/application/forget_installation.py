"""Forgets the boards of an installation that is about to be erased."""

import time
from collections.abc import Callable
from typing import NamedTuple

from laurel_leaderboard.application.ports import Notices, SharedCache
from laurel_leaderboard.application.tenant_ports import Erasures

# Of one call; the caller's patience is longer than that and a slice.
SECONDS_A_CALL = 20.0


class ForgottenBoards(NamedTuple):
    """Versions and boards' days that one call deleted, and whether all are gone."""

    deleted_count: int
    is_complete: bool


class ForgetInstallation:
    """Goes on where an earlier call ended, however it did."""

    def __init__(
        self,
        erasures: Erasures,
        shared: SharedCache,
        notices: Notices,
        *,
        seconds: float = SECONDS_A_CALL,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._erasures = erasures
        self._shared = shared
        self._notices = notices
        self._seconds = seconds
        self._timer = timer

    async def __call__(self, installation_id: int) -> ForgottenBoards:
        """Forgets for a while. Raises DatabaseUnavailable, ConcurrentChange."""
        until, count = self._timer() + self._seconds, 0
        presets = await self._erasures.presets(installation_id)
        while deleted := await self._erasures.delete_slice(installation_id):
            count += deleted
            if self._timer() >= until:
                return ForgottenBoards(count, is_complete=False)
        await self._erasures.delete_rest(installation_id)
        await self._shared.forget_presets([installation_id], presets)
        await self._notices.announce(installation_id)
        return ForgottenBoards(count, is_complete=True)
