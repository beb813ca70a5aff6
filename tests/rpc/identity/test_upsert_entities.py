"""UpsertEntities over the wire."""

from typing import Any

import pytest

from laurel.common.v1 import types_pb2
from laurel.identity.v1 import directory_lists_pb2, directory_lookups_pb2, directory_upserts_pb2
from laurel.identity.v1 import entities_pb2 as entities
from laurel_common.errors import RemoteError
from laurel_identity.domain.names import synthetic_account_id
from tests.rpc.identity.conftest import Identity


def acme(**changes: Any) -> directory_upserts_pb2.UpsertEntitiesRequest:
    """An organization with a person, a repository and a team; `changes` replace fields."""
    values: dict[str, Any] = {
        "users": [entities.User(id=1, login="ada", name="Ada", avatar_url="https://a/1")],
        "imported_owners": [directory_upserts_pb2.ImportedOwner(account_id=10, login="acme")],
        "repositories": [entities.Repository(id=100, full_name="acme/api", organization_id=10)],
        "teams": [entities.Team(id=50, organization_id=10, slug="core", name="Core")],
        "memberships": [entities.OrganizationMembership(organization_id=10, user_id=1)],
        "team_members": [entities.TeamMember(team_id=50, user_id=1, role="maintainer")],
        "team_repositories": [entities.TeamRepository(team_id=50, repository_id=100)],
    }
    return directory_upserts_pb2.UpsertEntitiesRequest(**(values | changes))


async def test_an_imported_owner_becomes_an_installation_that_sees_its_repositories(
    identity: Identity,
) -> None:
    answer = await identity.ingest.UpsertEntities(acme())
    (owner,) = answer.owners
    assert (owner.login, owner.account_id, owner.installation_id) == ("acme", 10, -10)
    assert (answer.inserted_count, answer.updated_count) == (7, 0)

    again = await identity.ingest.UpsertEntities(acme())
    assert (again.inserted_count, again.updated_count) == (0, 0)

    listed = await identity.operator.ListRepositories(
        directory_lists_pb2.ListRepositoriesRequest(installation_id=-10)
    )
    assert [each.full_name for each in listed.repositories] == ["acme/api"]


async def test_an_owner_without_an_id_gets_a_synthetic_one(identity: Identity) -> None:
    request = acme(
        imported_owners=[directory_upserts_pb2.ImportedOwner(login="Nobody")],
        repositories=[entities.Repository(id=100, full_name="nobody/api")],
        teams=[],
        memberships=[],
        team_members=[],
        team_repositories=[],
    )
    (owner,) = (await identity.ingest.UpsertEntities(request)).owners
    assert owner.account_id == synthetic_account_id("nobody")
    assert owner.installation_id == -owner.account_id > 2**62
    listed = await identity.operator.ListRepositories(
        directory_lists_pb2.ListRepositoriesRequest(installation_id=owner.installation_id)
    )
    assert [each.organization_id for each in listed.repositories] == [owner.account_id]


async def test_a_user_account_stands_in_both_tables_and_is_its_own_admin(
    identity: Identity,
) -> None:
    owner = directory_upserts_pb2.ImportedOwner(
        account_id=1, login="ada", account_type=types_pb2.ACCOUNT_TYPE_USER
    )
    await identity.ingest.UpsertEntities(
        directory_upserts_pb2.UpsertEntitiesRequest(imported_owners=[owner])
    )
    users = await identity.operator.BatchGetUsers(
        directory_lookups_pb2.BatchGetUsersRequest(user_ids=[1])
    )
    assert [user.login for user in users.users] == ["ada"]
    account = await identity.operator.GetOrganization(
        directory_lookups_pb2.GetOrganizationRequest(login="ADA")
    )
    assert account.organization.id == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param(
            {"teams": [entities.Team(id=51, organization_id=11, slug="x", name="X")]},
            "teams[0].organization_id",
            id="a team of no organization",
        ),
        pytest.param(
            {
                "team_members": [
                    entities.TeamMember(team_id=50, user_id=1),
                    entities.TeamMember(team_id=50, user_id=2),
                ]
            },
            "team_members[1].user_id",
            id="a member who is no user",
        ),
        pytest.param(
            {"team_members": [entities.TeamMember(team_id=51, user_id=1)]},
            "team_members[0].team_id",
            id="a member of no team",
        ),
        pytest.param(
            {"team_repositories": [entities.TeamRepository(team_id=50, repository_id=101)]},
            "team_repositories[0].repository_id",
            id="no such repository",
        ),
        pytest.param(
            {"memberships": [entities.OrganizationMembership(organization_id=12, user_id=1)]},
            "memberships[0].organization_id",
            id="a member of no organization",
        ),
        pytest.param(
            {"memberships": [entities.OrganizationMembership(organization_id=10, user_id=3)]},
            "memberships[0].user_id",
            id="a membership of nobody",
        ),
        pytest.param(
            {
                "repositories": [
                    entities.Repository(id=100, full_name="acme/api", organization_id=10),
                    entities.Repository(id=101, full_name="acme/web", organization_id=99),
                ]
            },
            "repositories[1].organization_id",
            id="a repository of no account",
        ),
    ],
)
async def test_what_refers_to_nothing_is_refused_with_the_field_and_nothing_is_written(
    identity: Identity, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(RemoteError) as refused:
        await identity.ingest.UpsertEntities(acme(**changes))
    assert (refused.value.code, refused.value.reason) == (
        "FAILED_PRECONDITION",
        "REFERENCE_MISSING",
    )
    assert field in refused.value.metadata["fields"].split(",")
    users = await identity.operator.BatchGetUsers(
        directory_lookups_pb2.BatchGetUsersRequest(user_ids=[1])
    )
    assert list(users.users) == []


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        pytest.param(
            directory_upserts_pb2.UpsertEntitiesRequest(users=[entities.User(id=1, login="a\0b")]),
            "users[0].login",
            id="NUL in a login",
        ),
        pytest.param(
            directory_upserts_pb2.UpsertEntitiesRequest(users=[entities.User(id=0, login="a")]),
            "users[0].id",
            id="no id",
        ),
        pytest.param(
            directory_upserts_pb2.UpsertEntitiesRequest(
                repositories=[entities.Repository(id=1, full_name="api")]
            ),
            "repositories[0].full_name",
            id="no owner",
        ),
        pytest.param(
            directory_upserts_pb2.UpsertEntitiesRequest(
                users=[entities.User(id=1, login="a"), entities.User(id=2, login="~1")]
            ),
            "users[1].login",
            id="a tombstone as a login",
        ),
        pytest.param(
            directory_upserts_pb2.UpsertEntitiesRequest(
                repositories=[entities.Repository(id=1, full_name="a/~1")]
            ),
            "repositories[0].full_name",
            id="a tombstone as a repository",
        ),
        pytest.param(
            directory_upserts_pb2.UpsertEntitiesRequest(
                imported_owners=[
                    directory_upserts_pb2.ImportedOwner(account_id=-(2**63), login="a")
                ]
            ),
            "imported_owners[0].account_id",
            id="an id whose negative does not fit",
        ),
        *(
            pytest.param(
                directory_upserts_pb2.UpsertEntitiesRequest(
                    imported_owners=[
                        directory_upserts_pb2.ImportedOwner(account_id=account_id, login="a")
                    ]
                ),
                "imported_owners[0].account_id",
                id="an id whose installation GitHub might number so",
            )
            for account_id in (-1, -47_359, -(2**62))
        ),
        pytest.param(
            directory_upserts_pb2.UpsertEntitiesRequest(
                memberships=[
                    entities.OrganizationMembership(organization_id=1, user_id=1, role="owner")
                ]
            ),
            "memberships[0].role",
            id="no such role",
        ),
        pytest.param(
            directory_upserts_pb2.UpsertEntitiesRequest(
                users=[entities.User(id=n + 1, login=f"u{n}") for n in range(15_000)],
                repositories=[
                    entities.Repository(id=n + 1, full_name=f"a/r{n}") for n in range(5_001)
                ],
            ),
            "",
            id="too many in all",
        ),
    ],
)
async def test_a_bad_request_names_the_field(
    identity: Identity, request_: directory_upserts_pb2.UpsertEntitiesRequest, field: str
) -> None:
    with pytest.raises(RemoteError) as refused:
        await identity.ingest.UpsertEntities(request_)
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert [violation.field for violation in refused.value.violations] == [field]
