"""The use case ListRepositories: the repositories that an installation can see, by id."""

from collections.abc import Collection

from laurel_identity.application.get_installation import GetInstallation
from laurel_identity.application.paging import Page, PageRequest, page_of
from laurel_identity.application.ports import TenantReader
from laurel_identity.domain.entities import Repository
from laurel_identity.domain.installations import NOTHING_HIDDEN, Hidden, Visibility


class ListRepositories:
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
    ) -> Page[Repository, int]:
        await self._get_installation.by_id(installation_id, visibility)
        rows = await self._tenants.repositories(
            installation_id, page.after, page.size + 1, only, hidden
        )
        return page_of(rows, page.size, lambda repository: repository.id)
