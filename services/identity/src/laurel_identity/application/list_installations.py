"""The use case ListInstallations: the installations that the caller may see, by id."""

from laurel_identity.application.paging import Page, PageRequest, page_of
from laurel_identity.application.ports import TenantReader
from laurel_identity.domain.installations import Installation, Visibility


class ListInstallations:
    """Pages of installations."""

    def __init__(self, tenants: TenantReader) -> None:
        self._tenants = tenants

    async def __call__(
        self, page: PageRequest[int], visibility: Visibility
    ) -> Page[Installation, int]:
        rows = await self._tenants.installations(page.after, page.size + 1, visibility)
        return page_of(rows, page.size, lambda installation: installation.installation_id)
