"""Imported owners as tenants: installations, synthetic ids, moving repositories."""

from datetime import timedelta

import pytest

from laurel_common.errors import ReferenceMissing
from laurel_identity.domain.entities import Kind, Relation, Repository, Team, User
from laurel_identity.domain.names import synthetic_account_id
from laurel_identity.domain.owners import AccountType, ImportedOwner
from tests.integration.identity.conftest import NOW, Directory
from tests.support.database import Database

ACME = synthetic_account_id("acme")
SEEN = (
    "SELECT installation_id, repository_id FROM installation_repositories "
    "ORDER BY installation_id, repository_id"
)
COUNTS = (
    "SELECT installation_id, repository_count FROM github_installations ORDER BY installation_id"
)
TENANTS = (
    "SELECT installation_id, app_id, organization_id, user_account_id, account_type "
    "FROM github_installations ORDER BY installation_id"
)


async def test_an_organization_becomes_a_tenant_once(directory: Directory) -> None:
    for _ in range(2):
        (owner,) = (await directory.upsert(owners=[ImportedOwner(10, "acme")])).owners
        assert (owner.account_id, owner.installation_id) == (10, -10)
    assert await directory.rows(TENANTS) == [(-10, 0, 10, None, "organization")]


async def test_a_user_account_is_a_tenant_with_its_owner_as_admin(directory: Directory) -> None:
    await directory.upsert(owners=[ImportedOwner(1, "ada", AccountType.USER)])
    assert await directory.rows(TENANTS) == [(-1, 0, None, 1, "user")]
    assert await directory.rows("SELECT * FROM (SELECT id, login FROM organizations) o") == [
        (1, "ada")
    ]
    assert await directory.rows(
        "SELECT user_id, organization_id, role FROM organization_memberships"
    ) == [(1, 1, "admin")]


async def test_an_owner_whose_id_a_user_has_is_a_user_account(directory: Directory) -> None:
    await directory.upsert(owners=[ImportedOwner(1, "ada")])
    assert await directory.rows(TENANTS) == [(-1, 0, 1, None, "organization")]
    await directory.upsert(users=[User(1, "ada")], owners=[ImportedOwner(1, "ada")])
    assert await directory.rows(TENANTS) == [(-1, 0, None, 1, "user")]


async def test_an_owner_named_by_login_is_the_user_of_that_login(directory: Directory) -> None:
    (owner,) = (
        await directory.upsert(users=[User(1, "Ada")], owners=[ImportedOwner(0, "ada")])
    ).owners
    assert (owner.account_id, owner.installation_id) == (1, -1)


async def test_an_account_with_the_app_keeps_its_installation(
    directory: Directory, database: Database
) -> None:
    await directory.upsert(owners=[ImportedOwner(10, "acme")])
    with database.connect() as owner:
        owner.execute(
            "INSERT INTO github_installations (installation_id, app_id, organization_id) "
            "VALUES (777, 5, 10)"
        )
    (resolved,) = (
        await directory.upsert(
            owners=[ImportedOwner(10, "acme")], repositories=[Repository(100, "acme/api", 10)]
        )
    ).owners
    assert resolved.installation_id == 777
    assert await directory.rows(SEEN) == [(777, 100)]


async def test_nothing_joins_an_installation_of_selected_repositories(
    directory: Directory, database: Database
) -> None:
    with database.connect() as owner:
        owner.execute("INSERT INTO organizations (id, login) VALUES (10, 'acme')")
        owner.execute(
            "INSERT INTO github_installations "
            "(installation_id, app_id, organization_id, repository_selection) "
            "VALUES (777, 5, 10, 'selected')"
        )
    await directory.upsert(repositories=[Repository(100, "acme/api", 10)])
    assert await directory.rows(SEEN) == []


async def test_repositories_that_came_before_their_owner_join_it(directory: Directory) -> None:
    await directory.upsert(repositories=[Repository(100, "Acme/api"), Repository(200, "other/x")])
    assert await directory.rows(SEEN) == []
    await directory.upsert(owners=[ImportedOwner(10, "acme")])
    assert await directory.rows(SEEN) == [(-10, 100)]
    assert await directory.rows(COUNTS) == [(-10, 1)]


async def test_a_repository_moved_to_another_owner_leaves_the_former_installation(
    directory: Directory,
) -> None:
    owners = [ImportedOwner(10, "acme"), ImportedOwner(20, "globex")]
    repositories = [Repository(100, "acme/api", 10), Repository(101, "acme/web", 10)]
    await directory.upsert(owners=owners, repositories=repositories)
    await directory.upsert(repositories=[Repository(100, "globex/api", 20)])
    assert await directory.rows(SEEN) == [(-20, 100), (-10, 101)]
    assert await directory.rows(COUNTS) == [(-20, 1), (-10, 1)]
    await directory.upsert(repositories=[Repository(101, "stranger/web")])
    assert await directory.rows(COUNTS) == [(-20, 1), (-10, 0)]


async def test_a_synthetic_account_becomes_the_real_one_under_the_same_installation(
    directory: Directory,
) -> None:
    (first,) = (
        await directory.upsert(
            users=[User(1, "ada")],
            owners=[ImportedOwner(0, "acme")],
            repositories=[Repository(100, "acme/api")],
            teams=[Team(50, ACME, "core", "Core")],
            memberships=[Relation(ACME, 1, "admin")],
        )
    ).owners
    assert (first.account_id, first.installation_id) == (ACME, -ACME)

    (second,) = (await directory.upsert(owners=[ImportedOwner(10, "ACME")])).owners
    assert (second.account_id, second.installation_id) == (10, -ACME)
    assert await directory.rows("SELECT id, login FROM organizations ORDER BY id DESC") == [
        (10, "ACME"),
        (ACME, f"~{ACME}"),
    ]
    assert await directory.rows(TENANTS) == [(-ACME, 0, 10, None, "organization")]
    assert await directory.rows("SELECT id, organization_id FROM repositories") == [(100, 10)]
    assert await directory.rows("SELECT id, organization_id FROM teams") == [(50, 10)]
    assert await directory.rows(
        "SELECT organization_id, user_id, role FROM organization_memberships"
    ) == [(10, 1, "admin")]
    assert await directory.rows(SEEN) == [(-ACME, 100)]

    for again in (ImportedOwner(0, "acme"), ImportedOwner(ACME, "acme")):
        (third,) = (await directory.upsert(owners=[again])).owners
        assert (third.account_id, third.installation_id) == (10, -ACME)


async def test_the_synthetic_id_goes_on_to_mean_the_account(directory: Directory) -> None:
    for owner in (ImportedOwner(0, "acme"), ImportedOwner(10, "acme")):
        await directory.upsert(owners=[owner])
    await directory.upsert(
        repositories=[Repository(100, "acme/api", ACME)], teams=[Team(50, ACME, "core", "Core")]
    )
    assert await directory.rows("SELECT organization_id FROM repositories") == [(10,)]
    assert await directory.rows("SELECT organization_id FROM teams") == [(10,)]


async def test_an_alias_does_not_rename_the_account_back(directory: Directory) -> None:
    for owner in (
        ImportedOwner(0, "acme"),
        ImportedOwner(10, "acme"),
        ImportedOwner(10, "initech"),
        ImportedOwner(0, "acme"),
    ):
        (resolved,) = (await directory.upsert(owners=[owner])).owners
    assert (resolved.account_id, resolved.installation_id) == (10, -ACME)
    assert await directory.rows("SELECT login FROM organizations WHERE id = 10") == [("initech",)]


async def test_a_synthetic_account_of_a_user_becomes_the_user(directory: Directory) -> None:
    ada = synthetic_account_id("ada")
    await directory.upsert(owners=[ImportedOwner(0, "ada", AccountType.USER)])
    assert await directory.rows(TENANTS) == [(-ada, 0, None, ada, "user")]
    (resolved,) = (
        await directory.upsert(users=[User(1, "ada")], owners=[ImportedOwner(0, "ada")])
    ).owners
    assert (resolved.account_id, resolved.installation_id) == (1, -ada)
    assert await directory.rows(TENANTS) == [(-ada, 0, None, 1, "user")]
    assert await directory.rows("SELECT id, login FROM users ORDER BY id DESC") == [
        (1, "ada"),
        (ada, f"~{ada}"),
    ]
    assert await directory.rows(
        "SELECT organization_id, user_id, role FROM organization_memberships"
    ) == [(1, 1, "admin")]


async def test_of_two_installations_the_real_accounts_own_stays(directory: Directory) -> None:
    await directory.upsert(owners=[ImportedOwner(10, "old")])
    await directory.upsert(
        owners=[ImportedOwner(0, "acme")], repositories=[Repository(100, "acme/api")]
    )
    (resolved,) = (await directory.upsert(owners=[ImportedOwner(10, "acme")])).owners
    assert resolved.installation_id == -10
    assert await directory.rows(SEEN) == [(-10, 100)]
    assert await directory.rows(COUNTS) == [(-10, 1), (-ACME, 0)]


async def test_the_same_owner_named_with_and_without_an_id_is_one(directory: Directory) -> None:
    owners = [ImportedOwner(0, "acme"), ImportedOwner(10, "Acme"), ImportedOwner(0, "ACME")]
    resolved = (await directory.upsert(owners=owners)).owners
    assert {(each.account_id, each.installation_id) for each in resolved} == {(10, -10)}


@pytest.mark.parametrize("kind", [Kind.TEAM_MEMBER, Kind.TEAM_REPOSITORY])
async def test_a_batch_that_fails_leaves_nothing_behind(directory: Directory, kind: Kind) -> None:
    dangling = {
        Kind.TEAM_MEMBER: {"team_members": [Relation(50, 99, "member")]},
        Kind.TEAM_REPOSITORY: {"team_repositories": [Relation(50, 99, "push")]},
    }[kind]
    with pytest.raises(ReferenceMissing):
        await directory.upsert(
            users=[User(1, "ada")],
            owners=[ImportedOwner(10, "acme")],
            teams=[Team(50, 10, "core", "Core")],
            observed_at=NOW - timedelta(days=1),
            **dangling,
        )
    for table in ("users", "organizations", "teams", "github_installations", "entity_observations"):
        assert await directory.rows(f"SELECT count(*) FROM {table}") == [(0,)]  # noqa: S608 - names
