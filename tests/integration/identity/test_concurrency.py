"""Overlapping upserts from several connections: no deadlock, no lost update, no shared name."""

import asyncio
import random
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from laurel_identity.domain.entities import Relation, Repository, Team, User
from laurel_identity.domain.names import folded
from laurel_identity.domain.owners import ImportedOwner
from laurel_identity.storage.stripes import NAME_LOCKS, stripe
from tests.integration.identity.conftest import NOW, Directory
from tests.support.database import Database

WRITERS = 6
WAITING = """
    SELECT classid::int, count(*) FROM pg_locks JOIN pg_database d ON d.oid = pg_locks.database
    WHERE NOT granted AND locktype = 'advisory' AND d.datname = current_database() GROUP BY 1
"""
LOGINS = [f"name{n}" for n in range(12)]


def some_batch(chance: random.Random) -> dict[str, Any]:
    """A batch of few ids and fewer names, in any order: collisions all over."""
    ids = chance.sample(range(1, 16), 8)
    repositories = [
        Repository(100 + each, f"{chance.choice(['acme', 'globex'])}/{chance.choice(LOGINS)}")
        for each in ids
    ]
    teams = [Team(each, 1000, chance.choice(LOGINS), "T") for each in ids[:4]]
    return {
        "users": [User(each, chance.choice(LOGINS).title()) for each in ids],
        "owners": [ImportedOwner(1000, "acme"), ImportedOwner(0, "globex")],
        "repositories": repositories,
        "teams": teams,
        "team_members": [Relation(team.id, user, "member") for team in teams for user in ids],
        "team_repositories": [
            Relation(team.id, 100 + each, "push") for team in teams for each in ids
        ],
        "observed_at": NOW - timedelta(minutes=chance.randrange(5)),
    }


@pytest.mark.parametrize("seed", range(3))
async def test_overlapping_upserts_all_succeed_at_the_first_attempt(
    directory: Directory, seed: int
) -> None:
    rollbacks: list[Any] = []
    event.listen(directory.engine.sync_engine, "rollback", rollbacks.append)
    chance = random.Random(seed)  # noqa: S311 - not for secrets

    async def writer() -> None:
        for _ in range(8):
            await directory.upsert(**some_batch(chance))

    await asyncio.gather(*(writer() for _ in range(WRITERS)))
    assert rollbacks == []
    await _assert_names_are_unique(directory)
    (accounts,) = await directory.rows(
        "SELECT count(*) FILTER (WHERE i.organization_id IS DISTINCT FROM r.organization_id), "
        "count(*) FROM repositories r LEFT JOIN installation_repositories s "
        "ON s.repository_id = r.id LEFT JOIN github_installations i USING (installation_id)"
    )
    assert accounts[0] == 0
    stale = await directory.rows(
        "SELECT i.installation_id FROM github_installations i WHERE repository_count <> "
        "(SELECT count(*) FROM installation_repositories s "
        "WHERE s.installation_id = i.installation_id)"
    )
    assert stale == []


async def test_writers_of_the_same_rows_in_opposite_order_do_not_deadlock(
    directory: Directory,
) -> None:
    users = [User(n, f"u{n}") for n in range(1, 2001)]
    results = await asyncio.gather(
        *(
            directory.upsert(users=users if n % 2 else users[::-1], observed_at=NOW)
            for n in range(WRITERS)
        )
    )
    assert sorted(result.inserted_count for result in results) == [0] * (WRITERS - 1) + [2000]


async def test_the_latest_observation_wins_whoever_commits_last(directory: Directory) -> None:
    moments = list(range(20))
    random.Random(7).shuffle(moments)  # noqa: S311 - not for secrets
    await asyncio.gather(
        *(
            directory.upsert(
                users=[User(1, f"at{minute}")], observed_at=NOW - timedelta(minutes=minute)
            )
            for minute in moments
        )
    )
    assert await directory.rows("SELECT login FROM users") == [("at0",)]


async def test_an_owner_imported_by_many_at_once_is_one_tenant(directory: Directory) -> None:
    await asyncio.gather(
        *(directory.upsert(owners=[ImportedOwner(n % 2 * 10, "acme")]) for n in range(WRITERS * 2))
    )
    tenants = await directory.rows("SELECT organization_id FROM github_installations")
    assert tenants == [(10,)]


async def test_a_login_claimed_by_many_at_once_has_one_holder(directory: Directory) -> None:
    await asyncio.gather(
        *(directory.upsert(users=[User(n, "Ada" if n % 2 else "ADA")]) for n in range(1, 13))
    )
    holders = await directory.rows("SELECT count(*) FROM users WHERE lower(login) = 'ada'")
    assert holders == [(1,)]
    assert await directory.rows("SELECT count(*) FROM users") == [(12,)]


async def test_a_deadlock_with_another_context_is_tried_again(directory: Directory) -> None:
    """A writer of signals holds foreign-key locks on users in an order of its own."""
    await directory.upsert(users=[User(1, "a"), User(2, "b")], observed_at=NOW - timedelta(days=1))
    renamed = User(1, "c"), User(2, "d")
    async with directory.engine.connect() as other:
        await other.execute(text("SELECT 1 FROM users WHERE id = 2 FOR KEY SHARE"))
        renaming = asyncio.create_task(directory.upsert(users=renamed))
        # The rename has locked 1 (ids ascend) and waits for 2.
        await _somebody_waits(directory)
        # Whoever notices first that they wait for each other is the deadlock's victim.
        with suppress(OperationalError):
            await other.execute(text("SELECT 1 FROM users WHERE id = 1 FOR KEY SHARE"))
        await other.rollback()
        await renaming
    assert await directory.rows("SELECT id, login FROM users ORDER BY id") == [(1, "c"), (2, "d")]


async def _somebody_waits(directory: Directory) -> None:
    """Returns once a transaction waits for a lock."""
    query = "SELECT pg_sleep(0.01) FROM pg_locks WHERE NOT granted"
    for _ in range(10_000):
        if await directory.rows(query):
            return
    raise AssertionError("nobody waits for anybody")


async def _assert_names_are_unique(directory: Directory) -> None:
    for query in (
        "SELECT login FROM users",
        "SELECT login FROM organizations",
        "SELECT full_name FROM repositories",
        "SELECT organization_id || '/' || slug FROM teams",
    ):
        names = [folded(row[0]) for row in await directory.rows(query)]
        assert len(names) == len(set(names))


async def test_overlapping_upserts_queue_and_leave_connections_to_readers(
    directory: Directory, database: Database
) -> None:
    name = stripe("login", "ada")
    with database.connect("laurel_identity", autocommit=False) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s, %s)", [NAME_LOCKS, name])
        upserts = [asyncio.create_task(directory.upsert(users=[User(1, "ada")])) for _ in range(20)]
        while await directory.rows(WAITING) != [(NAME_LOCKS, 4)]:
            await asyncio.sleep(0)
    assert len(await asyncio.gather(*upserts)) == 20
