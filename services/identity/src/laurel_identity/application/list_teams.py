"""The use case ListTeams: the teams of an installation's account, by id."""

from collections.abc import Collection

from laurel_identity.application.get_installation import GetInstallation
from laurel_identity.application.paging import Page, PageRequest, page_of
from laurel_identity.application.ports import TenantReader
from laurel_identity.domain.entities import Team
from laurel_identity.domain.installations import NOTHING_HIDDEN, Hidden, Visibility


class ListTeams:
    """Raises InstallationNotFound for what is not there and for what the caller may not see."""

    def __init__(self, tenants: TenantReader) -> None:
        self._tenants = tenants
        self._get_installation = GetInstallation(tenants)

    async def __call__(
        self,
        installation_id: int,
        page: PageRequest[int],
        visibility: Visibility,
        *,
        only: Collection[int] = (),
        hidden: Hidden = NOTHING_HIDDEN,
    ) -> Page[Team, int]:
        installation = await self._get_installation.by_id(installation_id, visibility)
        rows = await self._tenants.teams(
            installation.account_id, page.after, page.size + 1, only, hidden
        )
        return page_of(rows, page.size, lambda team: team.id)
