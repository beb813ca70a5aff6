"""The use case GetOrganization: one account by id or login."""

from laurel_identity.application.ports import DirectoryReader
from laurel_identity.domain.errors import OrganizationNotFound
from laurel_identity.domain.installations import Account, Visibility
from laurel_identity.domain.names import folded


class GetOrganization:
    """Raises OrganizationNotFound for what is not there and for what the caller may not see."""

    def __init__(self, directory: DirectoryReader) -> None:
        self._directory = directory

    async def by_id(self, account_id: int, visibility: Visibility) -> Account:
        """The account with this id, or that a synthetic id turned out to be."""
        account = await self._directory.organization(account_id, visibility)
        if account is None:
            raise OrganizationNotFound
        return account

    async def by_login(self, login: str, visibility: Visibility) -> Account:
        """The account with this login in any case."""
        found = await self._directory.organizations_by_login({folded(login)}, visibility)
        if not found:
            raise OrganizationNotFound
        return found[0]
