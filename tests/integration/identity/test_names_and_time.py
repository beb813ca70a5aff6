"""Renames, taken names and late news, as PostgreSQL keeps them."""

from datetime import timedelta

from laurel_identity.domain.entities import Relation, Repository, Team, User
from laurel_identity.domain.owners import AccountType, ImportedOwner
from tests.integration.identity.conftest import NOW, Directory

BEFORE, LONG_AGO = NOW - timedelta(days=1), NOW - timedelta(days=4000)


async def test_a_rename_changes_one_row_of_all_that_stand(directory: Directory) -> None:
    await directory.upsert(users=[User(n, f"u{n}") for n in range(1, 101)], observed_at=BEFORE)
    before = dict(await directory.rows("SELECT id, xmin::text FROM users"))
    result = await directory.upsert(
        users=[User(n, "renamed" if n == 7 else f"u{n}") for n in range(1, 101)]
    )
    after = dict(await directory.rows("SELECT id, xmin::text FROM users"))
    assert (result.inserted_count, result.updated_count) == (0, 1)
    assert {each for each in before if before[each] != after[each]} == {7}
    (changed,) = await directory.rows("SELECT id FROM users WHERE updated_at > created_at")
    assert changed == (7,)


async def test_an_archive_of_long_ago_does_not_overwrite_a_newer_login(
    directory: Directory,
) -> None:
    await directory.upsert(users=[User(1, "new"), User(2, "taken")])
    result = await directory.upsert(
        users=[User(1, "old"), User(3, "taken"), User(4, "fresh")], observed_at=LONG_AGO
    )
    assert await directory.rows("SELECT id, login FROM users ORDER BY id") == [
        (1, "new"),
        (2, "taken"),
        (3, "~3"),
        (4, "fresh"),
    ]
    assert (result.inserted_count, result.updated_count) == (2, 0)


async def test_a_source_whose_clock_runs_ahead_is_heard_as_of_now(directory: Directory) -> None:
    await directory.upsert(users=[User(1, "a")], observed_at=NOW + timedelta(days=3650))
    await directory.upsert(users=[User(1, "b")])
    assert await directory.rows("SELECT login FROM users") == [("b",)]


async def test_every_kind_of_freed_name_can_be_taken(directory: Directory) -> None:
    owners = [ImportedOwner(10, "acme"), ImportedOwner(20, "globex")]
    await directory.upsert(
        users=[User(1, "ada")],
        owners=owners,
        repositories=[Repository(100, "acme/api", 10)],
        teams=[Team(50, 10, "core", "Core")],
        observed_at=BEFORE,
    )
    await directory.upsert(
        users=[User(2, "ADA")],
        owners=[ImportedOwner(30, "Acme")],
        repositories=[Repository(101, "ACME/API", 30)],
        teams=[Team(51, 10, "Core", "Core")],
    )
    assert await directory.rows("SELECT id, login FROM users ORDER BY id") == [
        (1, "~1"),
        (2, "ADA"),
    ]
    assert await directory.rows("SELECT id, login FROM organizations ORDER BY id") == [
        (10, "~10"),
        (20, "globex"),
        (30, "Acme"),
    ]
    assert await directory.rows(
        "SELECT id, full_name, owner_login, name FROM repositories ORDER BY id"
    ) == [(100, "acme/~100", "acme", "~100"), (101, "ACME/API", "ACME", "API")]
    assert await directory.rows("SELECT id, slug FROM teams ORDER BY id") == [
        (50, "~50"),
        (51, "Core"),
    ]


async def test_logins_swap_within_one_batch(directory: Directory) -> None:
    await directory.upsert(users=[User(1, "a"), User(2, "b")], observed_at=BEFORE)
    await directory.upsert(users=[User(1, "b"), User(2, "a")])
    assert await directory.rows("SELECT id, login FROM users ORDER BY id") == [(1, "b"), (2, "a")]


async def test_a_users_rename_reaches_the_account_that_it_stands_for(
    directory: Directory,
) -> None:
    owner = ImportedOwner(1, "ada", AccountType.USER)
    await directory.upsert(owners=[owner], observed_at=BEFORE)
    await directory.upsert(users=[User(1, "countess", "Ada")])
    assert await directory.rows("SELECT id, login, name FROM organizations") == [
        (1, "countess", "Ada")
    ]


async def test_a_late_word_on_a_role_changes_nothing(directory: Directory) -> None:
    base = {"users": [User(1, "ada")], "owners": [ImportedOwner(10, "acme")]}
    await directory.upsert(**base, memberships=[Relation(10, 1, "admin")])
    await directory.upsert(memberships=[Relation(10, 1, "member")], observed_at=BEFORE)
    assert await directory.rows("SELECT role FROM organization_memberships") == [("admin",)]
    await directory.upsert(memberships=[Relation(10, 1, "member")])
    assert await directory.rows("SELECT role FROM organization_memberships") == [("member",)]


async def test_strange_text_goes_in_and_comes_out_as_it_is(directory: Directory) -> None:
    strange = '=cmd()"{}\\,\x1b[31m🙂\u202eİ\n'
    await directory.upsert(users=[User(1, strange, strange, strange), User(2, "NULL", "")])
    assert await directory.rows("SELECT login, name, avatar_url FROM users ORDER BY id") == [
        (strange, strange, strange),
        ("NULL", "", ""),
    ]


async def test_twenty_thousand_rows_go_in_at_once_and_again_without_a_write(
    directory: Directory,
) -> None:
    users = [User(n, f"user-{n}", avatar_url=f"https://a/{n}") for n in range(1, 10_001)]
    repositories = [Repository(n, f"acme/r{n}", 90_000) for n in range(1, 9_999)]
    everything = {"users": users, "repositories": repositories}
    first = await directory.upsert(owners=[ImportedOwner(90_000, "acme")], **everything)
    assert first.inserted_count == 20_000 - 1
    again = await directory.upsert(owners=[ImportedOwner(90_000, "acme")], **everything)
    assert (again.inserted_count, again.updated_count) == (0, 0)
    assert await directory.rows("SELECT repository_count FROM github_installations") == [(9_998,)]
