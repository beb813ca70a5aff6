"""Whom hashed private addresses stand for: as the migration and as upserts write it down."""

from datetime import timedelta
from pathlib import Path

from laurel_identity.domain.entities import User
from laurel_identity.domain.names import private_address_ids, synthetic_account_id
from laurel_identity.domain.owners import AccountType, ImportedOwner
from tests.integration.identity.conftest import NOW, Directory
from tests.support.database import Database

MIGRATION = Path(__file__).parents[3] / "db/migrations/062_private_addresses.sql"
ROWS = "SELECT user_id, synthetic_id FROM private_addresses"


def expected(*users: tuple[int, str]) -> set[tuple[int, int]]:
    return {
        (user_id, synthetic_id)
        for user_id, login in users
        for synthetic_id in private_address_ids(user_id, login)
    }


async def test_users_who_were_there_before_are_written_down_by_the_migration(
    directory: Directory, database: Database
) -> None:
    # The padding of SHA-1 changes at 56 and 64 bytes; "1+" is in front of some.
    logins = [
        "Ada",
        "ada-2",
        "hubot[bot]",
        "Żółw",
        *("Q" * n for n in (52, 54, 55, 56, 62, 64, 200)),
    ]
    users = list(enumerate(logins, start=1))
    await directory.upsert(users=[User(*each) for each in users])
    nameless = [User(90, ""), User(synthetic_account_id("x"), "x")]
    await directory.upsert(users=nameless)
    assert set(await directory.rows(ROWS)) == expected(*users)

    _, marker, backfill = MIGRATION.read_text().partition("-- Users who are there already.")
    assert marker
    with database.connect() as connection:
        connection.execute("TRUNCATE private_addresses")
        connection.execute((marker + backfill).encode())
    assert set(await directory.rows(ROWS)) == expected(*users)


async def test_every_login_that_was_ever_told_is_written_down(directory: Directory) -> None:
    await directory.upsert(users=[User(1, "now")])
    await directory.upsert(users=[User(1, "before")], observed_at=NOW - timedelta(days=900))
    await directory.upsert(users=[User(2, "now"), User(2, "later")])
    owner = ImportedOwner(3, "owner", AccountType.USER)
    await directory.upsert(owners=[owner, ImportedOwner(4, "company", AccountType.ORGANIZATION)])
    pairs = [(1, "now"), (1, "before"), (2, "now"), (2, "later"), (3, "owner")]
    assert set(await directory.rows(ROWS)) == expected(*pairs)


async def test_what_is_written_down_is_not_written_again(directory: Directory) -> None:
    users = [User(n, f"User{n}") for n in range(1, 50)]
    await directory.upsert(users=users, observed_at=NOW - timedelta(days=1))
    rows = "SELECT user_id, synthetic_id, xmin::text FROM private_addresses"
    before = set(await directory.rows(rows))
    await directory.upsert(users=users)
    assert set(await directory.rows(rows)) == before
