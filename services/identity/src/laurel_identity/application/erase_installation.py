"""The use case EraseInstallation, and the schedule that erases what was uninstalled long ago."""

from datetime import timedelta

import structlog

from laurel_common.clock import Clock
from laurel_common.errors import InstallationNotFound
from laurel_identity.application.ports import TenantReader
from laurel_identity.application.work_ports import Erasures
from laurel_identity.domain.errors import AppInstalled

log = structlog.get_logger(__name__)

# Once an hour.
CRON = "17 * * * *"


class EraseInstallation:
    """Notes what the job will do. Idempotent."""

    def __init__(self, tenants: TenantReader, erasures: Erasures) -> None:
        self._tenants = tenants
        self._erasures = erasures

    async def __call__(self, installation_id: int, *, requested_by: str) -> None:
        """Raises InstallationNotFound, and AppInstalled where GitHub has it."""
        found = await self._tenants.installation(installation_id)
        if found is None:
            raise InstallationNotFound
        if found.is_installed:
            raise AppInstalled
        await self._erasures.request(installation_id, found.account_id, requested_by)


class EraseUninstalled:
    """Has erased what was uninstalled so long ago."""

    def __init__(self, erasures: Erasures, clock: Clock, *, after: timedelta) -> None:
        self._erasures = erasures
        self._clock = clock
        self._after = after

    async def __call__(self) -> None:
        """Raises DatabaseUnavailable; the next time is soon."""
        count = await self._erasures.request_uninstalled(self._clock.now() - self._after)
        if count:
            log.info("uninstalled_to_be_erased", installations=count)
