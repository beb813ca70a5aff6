"""Gives an installation's boards, with their history, to another installation."""

from laurel_common.clock import Clock
from laurel_leaderboard.application.ports import Notices, SharedCache
from laurel_leaderboard.application.tenant_ports import Adoptions


class AdoptInstallation:
    """Doing it again does what is left to do."""

    def __init__(
        self, adoptions: Adoptions, shared: SharedCache, notices: Notices, clock: Clock
    ) -> None:
        self._adoptions = adoptions
        self._shared = shared
        self._notices = notices
        self._clock = clock

    async def __call__(self, former: int, later: int, organization_id: int) -> int:
        """How many presets' boards it were. Raises ReferenceMissing, ConcurrentChange,
        DatabaseUnavailable.
        """
        now = self._clock.now()
        presets = await self._adoptions.adopt(former, later, organization_id, now)
        if presets:
            await self._shared.forget_presets((former, later), presets)
            for installation_id in (former, later):
                await self._notices.announce(installation_id)
        return len(presets)
