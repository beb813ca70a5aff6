"""The lookups over the wire: what they answer, and how their pages walk."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from laurel.common.v1 import types_pb2
from laurel.identity.v1 import directory_lists_pb2, directory_lookups_pb2, directory_upserts_pb2
from laurel.identity.v1 import entities_pb2 as entities
from laurel.identity.v1 import installation_pb2 as installations_pb
from laurel_common.errors import RemoteError
from laurel_identity.domain.names import synthetic_account_id
from tests.rpc.identity.conftest import Identity

TEAMS = range(50, 55)
PEOPLE = range(1, 8)
REPOSITORIES = range(100, 107)


@pytest.fixture
async def acme(shared_identity: Identity) -> Identity:
    """Identity that knows acme (teams, people, repositories) and globex (nothing)."""
    await shared_identity.ingest.UpsertEntities(
        directory_upserts_pb2.UpsertEntitiesRequest(
            users=[entities.User(id=n, login=f"User{n}", is_bot=n % 3 == 0) for n in PEOPLE],
            imported_owners=[
                directory_upserts_pb2.ImportedOwner(account_id=10, login="Acme"),
                directory_upserts_pb2.ImportedOwner(account_id=20, login="globex"),
            ],
            repositories=[
                entities.Repository(
                    id=n, full_name=f"Acme/r{n}", organization_id=10, default_branch="main"
                )
                for n in REPOSITORIES
            ],
            teams=[
                entities.Team(
                    id=n,
                    organization_id=10,
                    slug=f"t{n}",
                    name=f"T{n}",
                    privacy=entities.TEAM_PRIVACY_SECRET,
                )
                for n in TEAMS
            ],
            team_members=[
                entities.TeamMember(team_id=team, user_id=user, role="maintainer")
                for team in TEAMS
                for user in PEOPLE
                if (team + user) % 2
            ],
            team_repositories=[
                entities.TeamRepository(team_id=team, repository_id=repository, permission="pull")
                for team in TEAMS
                for repository in REPOSITORIES
                if (team + repository) % 3
            ],
        )
    )
    return shared_identity


async def test_users_come_by_id_once_and_unknown_ones_are_left_out(acme: Identity) -> None:
    answer = await acme.operator.BatchGetUsers(
        directory_lookups_pb2.BatchGetUsersRequest(user_ids=[3, 1, 3, 999])
    )
    assert [(user.id, user.login, user.is_bot) for user in answer.users] == [
        (1, "User1", False),
        (3, "User3", True),
    ]
    assert not answer.users[0].HasField("name")


async def test_bots_alone_come_where_asked_for(acme: Identity) -> None:
    request = directory_lookups_pb2.BatchGetUsersRequest(user_ids=list(PEOPLE), bots_only=True)
    answer = await acme.operator.BatchGetUsers(request)
    assert [user.id for user in answer.users] == [3, 6]


async def test_names_resolve_in_any_case(acme: Identity) -> None:
    answer = await acme.operator.ResolveLogins(
        directory_lookups_pb2.ResolveLoginsRequest(
            user_logins=["USER2", "user1", "nobody"],
            organization_logins=["ACME", "initech"],
            repository_full_names=["acme/R101", "acme/none"],
        )
    )
    assert [user.id for user in answer.users] == [1, 2]
    assert [account.id for account in answer.organizations] == [10]
    assert [(each.id, each.full_name, each.default_branch) for each in answer.repositories] == [
        (101, "Acme/r101", "main")
    ]


async def test_an_account_is_found_by_id_and_by_login(acme: Identity) -> None:
    by_id = await acme.operator.GetOrganization(
        directory_lookups_pb2.GetOrganizationRequest(organization_id=10)
    )
    by_login = await acme.operator.GetOrganization(
        directory_lookups_pb2.GetOrganizationRequest(login="aCME")
    )
    assert by_id == by_login
    assert by_id.organization.login == "Acme"
    assert by_id.organization.HasField("create_time")


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(directory_lookups_pb2.GetOrganizationRequest(organization_id=11), id="by id"),
        pytest.param(directory_lookups_pb2.GetOrganizationRequest(login="initech"), id="by login"),
    ],
)
async def test_an_account_that_is_not_there_is_not_found(
    acme: Identity, request_: directory_lookups_pb2.GetOrganizationRequest
) -> None:
    with pytest.raises(RemoteError) as refused:
        await acme.operator.GetOrganization(request_)
    assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "ORGANIZATION_NOT_FOUND")


async def test_an_installation_tells_its_account_and_its_count(acme: Identity) -> None:
    by_id = await acme.installations.GetInstallation(
        installations_pb.GetInstallationRequest(installation_id=-10)
    )
    by_login = await acme.installations.GetInstallation(
        installations_pb.GetInstallationRequest(account_login="ACME")
    )
    assert by_id == by_login
    found = by_id.installation
    assert (found.installation_id, found.app_id, found.account_id) == (-10, 0, 10)
    assert (found.account_login, found.account_type) == (
        "Acme",
        types_pb2.ACCOUNT_TYPE_ORGANIZATION,
    )
    assert (found.repository_selection, found.repository_count) == ("all", len(REPOSITORIES))
    assert not found.HasField("suspend_time")


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(installations_pb.GetInstallationRequest(installation_id=-11), id="by id"),
        pytest.param(installations_pb.GetInstallationRequest(account_login="initech"), id="login"),
    ],
)
async def test_an_installation_that_is_not_there_is_not_found(
    acme: Identity, request_: installations_pb.GetInstallationRequest
) -> None:
    with pytest.raises(RemoteError) as refused:
        await acme.installations.GetInstallation(request_)
    assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "INSTALLATION_NOT_FOUND")


async def test_a_request_for_neither_of_two_ways_is_invalid(acme: Identity) -> None:
    for call in (
        acme.operator.GetOrganization(directory_lookups_pb2.GetOrganizationRequest()),
        acme.installations.GetInstallation(installations_pb.GetInstallationRequest()),
    ):
        with pytest.raises(RemoteError) as refused:
            await call
        assert refused.value.reason == "INVALID_REQUEST"


Fetch = Callable[[Identity, int, str], Awaitable[tuple[Sequence[Any], str]]]


async def _organizations(acme: Identity, size: int, token: str) -> tuple[Sequence[Any], str]:
    request = directory_lists_pb2.ListOrganizationsRequest(page_size=size, page_token=token)
    answer = await acme.operator.ListOrganizations(request)
    return [each.id for each in answer.organizations], answer.next_page_token


async def _installations(acme: Identity, size: int, token: str) -> tuple[Sequence[Any], str]:
    request = installations_pb.ListInstallationsRequest(page_size=size, page_token=token)
    answer = await acme.installations.ListInstallations(request)
    return [each.installation_id for each in answer.installations], answer.next_page_token


async def _repositories(acme: Identity, size: int, token: str) -> tuple[Sequence[Any], str]:
    request = directory_lists_pb2.ListRepositoriesRequest(
        installation_id=-10, page_size=size, page_token=token
    )
    answer = await acme.operator.ListRepositories(request)
    return [each.id for each in answer.repositories], answer.next_page_token


async def _some_repositories(acme: Identity, size: int, token: str) -> tuple[Sequence[Any], str]:
    request = directory_lists_pb2.ListRepositoriesRequest(
        installation_id=-10, page_size=size, page_token=token, repository_ids=[106, 101, 999, 104]
    )
    answer = await acme.operator.ListRepositories(request)
    return [each.id for each in answer.repositories], answer.next_page_token


async def _teams(acme: Identity, size: int, token: str) -> tuple[Sequence[Any], str]:
    request = directory_lists_pb2.ListTeamsRequest(
        installation_id=-10, page_size=size, page_token=token
    )
    answer = await acme.operator.ListTeams(request)
    return [each.id for each in answer.teams], answer.next_page_token


async def _members(acme: Identity, size: int, token: str) -> tuple[Sequence[Any], str]:
    request = directory_lists_pb2.ListTeamMembersRequest(
        installation_id=-10, page_size=size, page_token=token
    )
    answer = await acme.operator.ListTeamMembers(request)
    return [(each.team_id, each.user_id) for each in answer.team_members], answer.next_page_token


async def _members_of_one(acme: Identity, size: int, token: str) -> tuple[Sequence[Any], str]:
    request = directory_lists_pb2.ListTeamMembersRequest(
        installation_id=-10, team_id=51, page_size=size, page_token=token
    )
    answer = await acme.operator.ListTeamMembers(request)
    return [(each.team_id, each.user_id) for each in answer.team_members], answer.next_page_token


async def _team_repositories(acme: Identity, size: int, token: str) -> tuple[Sequence[Any], str]:
    request = directory_lists_pb2.ListTeamRepositoriesRequest(
        installation_id=-10, page_size=size, page_token=token
    )
    answer = await acme.operator.ListTeamRepositories(request)
    rows = [(each.team_id, each.repository_id) for each in answer.team_repositories]
    return rows, answer.next_page_token


LISTS = [
    pytest.param(_organizations, [10, 20], id="organizations"),
    pytest.param(_installations, [-20, -10], id="installations"),
    pytest.param(_repositories, list(REPOSITORIES), id="repositories"),
    pytest.param(_some_repositories, [101, 104, 106], id="some repositories"),
    pytest.param(_teams, list(TEAMS), id="teams"),
    pytest.param(
        _members, [(t, u) for t in TEAMS for u in PEOPLE if (t + u) % 2], id="team members"
    ),
    pytest.param(
        _members_of_one, [(51, u) for u in PEOPLE if (51 + u) % 2], id="members of one team"
    ),
    pytest.param(
        _team_repositories,
        [(t, r) for t in TEAMS for r in REPOSITORIES if (t + r) % 3],
        id="team repositories",
    ),
]


@pytest.mark.parametrize(("fetch", "expected"), LISTS)
async def test_a_walk_over_pages_neither_repeats_nor_skips(
    acme: Identity, fetch: Fetch, expected: list[Any]
) -> None:
    for size in (0, 1, 2, 3, 1000):
        walked: list[Any] = []
        token, pages = "", 0
        while pages == 0 or token:
            rows, token = await fetch(acme, size, token)
            assert len(rows) <= (size or 100)
            walked += rows
            pages += 1
        assert walked == expected
        assert pages == (-(-len(expected) // size) if size else 1)


@pytest.mark.parametrize(("fetch", "expected"), LISTS)
async def test_a_damaged_page_token_is_refused(
    acme: Identity, fetch: Fetch, expected: list[Any]
) -> None:
    _, token = await fetch(acme, 1, "")
    flipped = ("B" if token[0] == "A" else "A") + token[1:]
    for damaged in (flipped, token[:-1], "x", "🙂"):
        with pytest.raises(RemoteError) as refused:
            await fetch(acme, 1, damaged)
        assert (refused.value.code, refused.value.reason) == (
            "INVALID_ARGUMENT",
            "INVALID_PAGE_TOKEN",
        )
        assert [each.field for each in refused.value.violations] == ["page_token"]


async def test_a_page_token_belongs_to_its_list_and_its_filter(acme: Identity) -> None:
    _, of_teams = await _teams(acme, 1, "")
    _, of_members = await _members(acme, 1, "")
    for fetch, token in ((_repositories, of_teams), (_members_of_one, of_members)):
        with pytest.raises(RemoteError) as refused:
            await fetch(acme, 1, token)
        assert refused.value.reason == "INVALID_PAGE_TOKEN"


@pytest.mark.parametrize("size", [-1, 10_001])
async def test_a_page_size_out_of_bounds_is_refused(acme: Identity, size: int) -> None:
    with pytest.raises(RemoteError) as refused:
        await _repositories(acme, size, "")
    assert [each.field for each in refused.value.violations] == ["page_size"]


async def test_lists_of_an_unknown_installation_are_not_found(acme: Identity) -> None:
    for call in (
        acme.operator.ListRepositories(
            directory_lists_pb2.ListRepositoriesRequest(installation_id=-11)
        ),
        acme.operator.ListTeams(directory_lists_pb2.ListTeamsRequest(installation_id=-11)),
        acme.operator.ListTeamMembers(
            directory_lists_pb2.ListTeamMembersRequest(installation_id=-11)
        ),
        acme.operator.ListTeamRepositories(
            directory_lists_pb2.ListTeamRepositoriesRequest(installation_id=-11)
        ),
    ):
        with pytest.raises(RemoteError) as refused:
            await call
        assert (refused.value.code, refused.value.reason) == (
            "NOT_FOUND",
            "INSTALLATION_NOT_FOUND",
        )


async def test_a_team_of_another_account_is_not_found(acme: Identity) -> None:
    for call in (
        acme.operator.ListTeamMembers(
            directory_lists_pb2.ListTeamMembersRequest(installation_id=-20, team_id=50)
        ),
        acme.operator.ListTeamRepositories(
            directory_lists_pb2.ListTeamRepositoriesRequest(installation_id=-20, team_id=50)
        ),
    ):
        with pytest.raises(RemoteError) as refused:
            await call
        assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "TEAM_NOT_FOUND")


async def test_a_synthetic_account_is_found_after_its_real_id_is_known(identity: Identity) -> None:
    synthetic = synthetic_account_id("acme")
    for owner in (
        directory_upserts_pb2.ImportedOwner(login="acme"),
        directory_upserts_pb2.ImportedOwner(account_id=10, login="acme"),
    ):
        await identity.ingest.UpsertEntities(
            directory_upserts_pb2.UpsertEntitiesRequest(imported_owners=[owner])
        )
    found = await identity.operator.GetOrganization(
        directory_lookups_pb2.GetOrganizationRequest(organization_id=synthetic)
    )
    assert (found.organization.id, found.organization.login) == (10, "acme")
    installation = await identity.installations.GetInstallation(
        installations_pb.GetInstallationRequest(account_login="acme")
    )
    assert installation.installation.installation_id == -synthetic
    assert installation.installation.account_id == 10
