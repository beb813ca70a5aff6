"""The use case GetInstallation: one installation by its id or its account's login."""

from laurel_common.errors import InstallationNotFound
from laurel_identity.application.ports import TenantReader
from laurel_identity.domain.installations import Installation, Visibility
from laurel_identity.domain.names import folded


class GetInstallation:
    """Raises InstallationNotFound for what is not there and for what the caller may not see."""

    def __init__(self, tenants: TenantReader) -> None:
        self._tenants = tenants

    async def by_id(self, installation_id: int, visibility: Visibility) -> Installation:
        """The installation with this id."""
        if not visibility.covers(installation_id):
            raise InstallationNotFound
        return _found(await self._tenants.installation(installation_id))

    async def by_login(self, login: str, visibility: Visibility) -> Installation:
        """The installation of the account with this login in any case."""
        installation = _found(await self._tenants.installation_of_login(folded(login)))
        if not visibility.covers(installation.installation_id):
            raise InstallationNotFound
        return installation


def _found(installation: Installation | None) -> Installation:
    if installation is None:
        raise InstallationNotFound
    return installation
