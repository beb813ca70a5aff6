"""The use case ListOrganizations: the accounts that the caller may see, by id."""

from laurel_identity.application.paging import Page, PageRequest, page_of
from laurel_identity.application.ports import DirectoryReader
from laurel_identity.domain.installations import Account, Visibility


class ListOrganizations:
    """Pages of accounts."""

    def __init__(self, directory: DirectoryReader) -> None:
        self._directory = directory

    async def __call__(self, page: PageRequest[int], visibility: Visibility) -> Page[Account, int]:
        rows = await self._directory.organizations(page.after, page.size + 1, visibility)
        return page_of(rows, page.size, lambda account: account.id)
