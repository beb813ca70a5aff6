"""laurel.identity.v1.DirectoryService."""

# ruff: noqa: ARG002 - names and signatures are gRPC's

from dataclasses import dataclass
from typing import Any

from laurel.identity.v1 import (
    directory_access_pb2,
    directory_claims_pb2,
    directory_lists_pb2,
    directory_lookups_pb2,
    directory_pb2_grpc,
    directory_upserts_pb2,
)
from laurel_common.page_token import PageTokens
from laurel_common.surroundings import current_principal
from laurel_identity.application.batch_get_users import BatchGetUsers
from laurel_identity.application.check_access import CheckAccess
from laurel_identity.application.claim_identity import ClaimIdentity
from laurel_identity.application.get_organization import GetOrganization
from laurel_identity.application.list_organizations import ListOrganizations
from laurel_identity.application.list_repositories import ListRepositories
from laurel_identity.application.list_team_relations import ListTeamRelations
from laurel_identity.application.list_teams import ListTeams
from laurel_identity.application.resolve_logins import ResolveLogins
from laurel_identity.application.upsert_entities import UpsertEntities
from laurel_identity.domain.claims import Wanted
from laurel_identity.rpc import convert, convert_auth
from laurel_identity.rpc.pages import Pages
from laurel_identity.rpc.visibility import current_visibility, currently_hidden


@dataclass(frozen=True, slots=True)
class DirectoryUseCases:
    """What the servicer's methods do."""

    upsert_entities: UpsertEntities
    batch_get_users: BatchGetUsers
    resolve_logins: ResolveLogins
    get_organization: GetOrganization
    list_organizations: ListOrganizations
    list_repositories: ListRepositories
    list_teams: ListTeams
    list_team_members: ListTeamRelations
    list_team_repositories: ListTeamRelations
    check_access: CheckAccess
    claim_identity: ClaimIdentity


class DirectoryServicer(directory_pb2_grpc.DirectoryServiceServicer):
    """The directory's methods: parse, use case, convert."""

    def __init__(self, use_cases: DirectoryUseCases, tokens: PageTokens) -> None:
        self._do = use_cases
        self._organizations = Pages(tokens, "organizations", default_size=50)
        self._repositories = Pages(tokens, "repositories", default_size=100)
        self._teams = Pages(tokens, "teams", default_size=100)
        self._members = Pages(tokens, "team_members", default_size=100, width=2)
        self._team_repositories = Pages(tokens, "team_repositories", default_size=100, width=2)

    async def UpsertEntities(
        self, request: directory_upserts_pb2.UpsertEntitiesRequest, context: Any
    ) -> directory_upserts_pb2.UpsertEntitiesResponse:
        return convert.from_result(await self._do.upsert_entities(convert.to_batch(request)))

    async def BatchGetUsers(
        self, request: directory_lookups_pb2.BatchGetUsersRequest, context: Any
    ) -> directory_lookups_pb2.BatchGetUsersResponse:
        users = await self._do.batch_get_users(
            request.user_ids, current_visibility(), bots_only=request.bots_only
        )
        return directory_lookups_pb2.BatchGetUsersResponse(users=map(convert.from_user, users))

    async def ResolveLogins(
        self, request: directory_lookups_pb2.ResolveLoginsRequest, context: Any
    ) -> directory_lookups_pb2.ResolveLoginsResponse:
        found = await self._do.resolve_logins(
            current_visibility(),
            users=request.user_logins,
            organizations=request.organization_logins,
            repositories=request.repository_full_names,
            synthetic_users=request.synthetic_user_ids,
        )
        return directory_lookups_pb2.ResolveLoginsResponse(
            users=map(convert.from_user, found.users),
            organizations=map(convert.from_account, found.organizations),
            repositories=map(convert.from_repository, found.repositories),
            synthetic_users=convert.from_synthetic_users(found.synthetic_users),
        )

    async def GetOrganization(
        self, request: directory_lookups_pb2.GetOrganizationRequest, context: Any
    ) -> directory_lookups_pb2.GetOrganizationResponse:
        visibility = current_visibility()
        if request.WhichOneof("organization") == "login":
            account = await self._do.get_organization.by_login(request.login, visibility)
        else:
            account = await self._do.get_organization.by_id(request.organization_id, visibility)
        return directory_lookups_pb2.GetOrganizationResponse(
            organization=convert.from_account(account)
        )

    async def ListOrganizations(
        self, request: directory_lists_pb2.ListOrganizationsRequest, context: Any
    ) -> directory_lists_pb2.ListOrganizationsResponse:
        wanted = self._organizations.single(request)
        page = await self._do.list_organizations(wanted, current_visibility())
        return directory_lists_pb2.ListOrganizationsResponse(
            organizations=map(convert.from_account, page.rows),
            next_page_token=self._organizations.next_token(request, page),
        )

    async def ListRepositories(
        self, request: directory_lists_pb2.ListRepositoriesRequest, context: Any
    ) -> directory_lists_pb2.ListRepositoriesResponse:
        page = await self._do.list_repositories(
            request.installation_id,
            self._repositories.single(request),
            current_visibility(),
            only=request.repository_ids,
            hidden=currently_hidden(),
        )
        return directory_lists_pb2.ListRepositoriesResponse(
            repositories=map(convert.from_repository, page.rows),
            next_page_token=self._repositories.next_token(request, page),
        )

    async def ListTeams(
        self, request: directory_lists_pb2.ListTeamsRequest, context: Any
    ) -> directory_lists_pb2.ListTeamsResponse:
        page = await self._do.list_teams(
            request.installation_id,
            self._teams.single(request),
            current_visibility(),
            only=request.team_ids,
            hidden=currently_hidden(),
        )
        return directory_lists_pb2.ListTeamsResponse(
            teams=map(convert.from_team, page.rows),
            next_page_token=self._teams.next_token(request, page),
        )

    async def ListTeamMembers(
        self, request: directory_lists_pb2.ListTeamMembersRequest, context: Any
    ) -> directory_lists_pb2.ListTeamMembersResponse:
        page = await self._do.list_team_members(
            request.installation_id,
            self._members.double(request),
            current_visibility(),
            team_id=request.team_id or None,
            hidden=currently_hidden(),
        )
        return directory_lists_pb2.ListTeamMembersResponse(
            team_members=convert.from_team_members(page.rows),
            next_page_token=self._members.next_token(request, page),
        )

    async def ListTeamRepositories(
        self, request: directory_lists_pb2.ListTeamRepositoriesRequest, context: Any
    ) -> directory_lists_pb2.ListTeamRepositoriesResponse:
        page = await self._do.list_team_repositories(
            request.installation_id,
            self._team_repositories.double(request),
            current_visibility(),
            team_id=request.team_id or None,
            hidden=currently_hidden(),
        )
        return directory_lists_pb2.ListTeamRepositoriesResponse(
            team_repositories=convert.from_team_repositories(page.rows),
            next_page_token=self._team_repositories.next_token(request, page),
        )

    async def CheckAccess(
        self, request: directory_access_pb2.CheckAccessRequest, context: Any
    ) -> directory_access_pb2.CheckAccessResponse:
        grant, keep = await self._do.check_access(
            request.session_id, request.installation_id, require_admin=request.require_admin
        )
        return convert_auth.from_grant(grant, keep)

    async def ClaimIdentity(
        self, request: directory_claims_pb2.ClaimIdentityRequest, context: Any
    ) -> directory_claims_pb2.ClaimIdentityResponse:
        claim = await self._do.claim_identity(
            Wanted(request.synthetic_user_id, request.user_id or None),
            requested_by=current_principal().name,
        )
        return directory_claims_pb2.ClaimIdentityResponse(claim=convert.from_claim(claim))
