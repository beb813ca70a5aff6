"""What users read in the directory: their own tenants, without what is hidden from them there."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from laurel.identity.v1 import directory_lists_pb2 as lists
from laurel.identity.v1 import directory_lookups_pb2 as lookups
from laurel.identity.v1 import directory_pb2_grpc, installation_pb2
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import RemoteError
from tests.rpc.identity.conftest import Identity, running_identity
from tests.support.database import Database
from tests.support.people import (
    ACME,
    GLOBEX,
    OPEN_TEAM,
    PRIVATE,
    PUBLIC,
    SECRET_TEAM,
    SOLO,
    settle,
    token_of,
)


@pytest.fixture
async def identity(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Identity]:
    async with running_identity(database, redis_url, tmp_path) as running:
        with database.connect() as owner:
            settle(owner, now=running.clock.now())
            owner.execute(
                "INSERT INTO team_repositories (team_id, repository_id)"
                " SELECT team, repository FROM unnest(%s::bigint[]) AS team,"
                " unnest(%s::bigint[]) AS repository",
                [[OPEN_TEAM, SECRET_TEAM], [PUBLIC, PRIVATE]],
            )
        yield running


def directory(identity: Identity, login: str) -> directory_pb2_grpc.DirectoryServiceStub:
    return identity.directory(identity.server.channel_with(StaticToken(token_of(login))))


async def reason(call: Any) -> str:
    try:
        await call
    except RemoteError as error:
        return error.reason
    return "OK"


async def repositories(identity: Identity, login: str) -> list[int]:
    """Page by page: what is hidden leaves no gap and no token behind."""
    found, token = [], ""
    while True:
        page = await directory(identity, login).ListRepositories(
            lists.ListRepositoriesRequest(installation_id=ACME, page_size=1, page_token=token)
        )
        found += [each.id for each in page.repositories]
        token = page.next_page_token
        if not token:
            return found


@pytest.mark.parametrize(
    ("login", "read", "teams", "relations"),
    [
        pytest.param("ada", [PUBLIC, PRIVATE], [OPEN_TEAM, SECRET_TEAM], 4, id="an admin"),
        pytest.param("mona", [PUBLIC, PRIVATE], [OPEN_TEAM, SECRET_TEAM], 4, id="in on all"),
        pytest.param("bob", [PUBLIC], [OPEN_TEAM], 1, id="a member who is not"),
    ],
)
async def test_members_read_their_organization_without_what_is_hidden(
    identity: Identity, login: str, read: list[int], teams: list[int], relations: int
) -> None:
    user = directory(identity, login)
    assert await repositories(identity, login) == read
    only = lists.ListRepositoriesRequest(installation_id=ACME, repository_ids=[PRIVATE])
    assert [each.id for each in (await user.ListRepositories(only)).repositories] == [
        each for each in read if each == PRIVATE
    ]
    listed = await user.ListTeams(lists.ListTeamsRequest(installation_id=ACME))
    assert [each.id for each in listed.teams] == teams
    secret = lists.ListTeamMembersRequest(installation_id=ACME, team_id=SECRET_TEAM)
    expected = "OK" if SECRET_TEAM in teams else "TEAM_NOT_FOUND"
    assert await reason(user.ListTeamMembers(secret)) == expected
    places = await user.ListTeamRepositories(
        lists.ListTeamRepositoriesRequest(installation_id=ACME)
    )
    assert len(places.team_repositories) == relations
    names = lookups.ResolveLoginsRequest(
        organization_logins=["acme", "globex"],
        repository_full_names=["acme/site", "acme/vault"],
        synthetic_user_ids=[-(2**63)],
    )
    found = await user.ResolveLogins(names)
    assert [each.login for each in found.organizations] == ["acme"]
    assert [each.id for each in found.repositories] == read


async def test_an_outside_collaborator_reads_its_repositories_alone(identity: Identity) -> None:
    user = directory(identity, "otto")
    assert await repositories(identity, "otto") == [PRIVATE]
    for refused in (
        user.ListTeams(lists.ListTeamsRequest(installation_id=ACME)),
        user.ListTeamMembers(lists.ListTeamMembersRequest(installation_id=ACME)),
    ):
        assert await reason(refused) == "CALLER_NOT_ALLOWED"
    names = lookups.ResolveLoginsRequest(repository_full_names=["acme/site", "acme/vault"])
    assert [each.id for each in (await user.ResolveLogins(names)).repositories] == [PRIVATE]


async def test_another_tenant_is_not_there(identity: Identity) -> None:
    user = directory(identity, "zoe")
    everything = await user.ListOrganizations(lists.ListOrganizationsRequest())
    assert [each.login for each in everything.organizations] == ["globex"]
    acme = lookups.GetOrganizationRequest(login="acme")
    assert await reason(user.GetOrganization(acme)) == "ORGANIZATION_NOT_FOUND"
    nobody = lookups.GetOrganizationRequest(login="nobody")
    assert await reason(user.GetOrganization(nobody)) == "ORGANIZATION_NOT_FOUND"
    for installation_id in (ACME, 999):
        asked = lists.ListRepositoriesRequest(installation_id=installation_id)
        assert await reason(user.ListRepositories(asked)) == "INSTALLATION_NOT_FOUND"
    names = lookups.ResolveLoginsRequest(
        organization_logins=["acme"], repository_full_names=["acme/site", "acme/vault"]
    )
    found = await user.ResolveLogins(names)
    assert [*found.organizations, *found.repositories] == []


async def test_everybody_finds_their_own_installations_and_no_others(identity: Identity) -> None:
    for login, expected in (
        ("ada", [ACME]),
        ("otto", [ACME]),
        ("zoe", [GLOBEX]),
        ("solo", [SOLO]),
    ):
        channel = identity.server.channel_with(StaticToken(token_of(login)))
        tenants = identity.tenants(channel)
        listed = await tenants.ListInstallations(installation_pb2.ListInstallationsRequest())
        assert [each.installation_id for each in listed.installations] == expected
        by_login = installation_pb2.GetInstallationRequest(account_login="globex")
        wanted = "OK" if GLOBEX in expected else "INSTALLATION_NOT_FOUND"
        assert await reason(tenants.GetInstallation(by_login)) == wanted
