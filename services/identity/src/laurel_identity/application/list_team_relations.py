"""The use cases ListTeamMembers and ListTeamRepositories: who and what belongs to the teams of an
installation's account, by team."""

from laurel_identity.application.get_installation import GetInstallation
from laurel_identity.application.paging import Page, PageRequest, page_of
from laurel_identity.application.ports import TenantReader
from laurel_identity.domain.entities import Kind, Relation
from laurel_identity.domain.errors import TeamNotFound
from laurel_identity.domain.installations import NOTHING_HIDDEN, Hidden, Visibility


class ListTeamRelations:
    """Lists relations of one kind (team members or team repositories).

    Raises InstallationNotFound for what is not there and for what the caller may not see,
    TeamNotFound for a team that is not one of the account's, or hidden.
    """

    def __init__(self, tenants: TenantReader, kind: Kind) -> None:
        self._tenants = tenants
        self._kind = kind
        self._get_installation = GetInstallation(tenants)

    async def __call__(
        self,
        installation_id: int,
        page: PageRequest[tuple[int, int]],
        visibility: Visibility,
        *,
        team_id: int | None = None,
        hidden: Hidden = NOTHING_HIDDEN,
    ) -> Page[Relation, tuple[int, int]]:
        installation = await self._get_installation.by_id(installation_id, visibility)
        account_id = installation.account_id
        if team_id is not None and not await self._tenants.teams(
            account_id, None, 1, {team_id}, hidden
        ):
            raise TeamNotFound
        rows = await self._tenants.team_relations(
            self._kind, account_id, team_id, page.after, page.size + 1, hidden=hidden
        )
        return page_of(rows, page.size, lambda relation: relation.key)
