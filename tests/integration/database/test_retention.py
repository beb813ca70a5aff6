"""purge_superseded_materializations: what it takes, what it leaves, and what remains of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from tests.support.database import Database
from tests.support.rows import Rows

NOON = datetime(2025, 6, 24, 12, 0, tzinfo=UTC)
_STATES = "SELECT id, retention_state FROM leaderboard_materializations ORDER BY id"


@pytest.fixture
def owner(database: Database) -> Any:
    with database.connect() as connection:
        yield connection


def _versions(owner: Connection[Any], *lives: tuple[str, datetime | None]) -> list[int]:
    """One board's versions with the state and expiry given, three scores each."""
    rows = Rows(owner)
    account = rows.organization()
    preset = rows.preset(rows.installation(organization_id=account))
    users = [rows.user() for _ in range(3)]
    made = []
    for version, (state, expires) in enumerate(lives, start=1):
        times = (
            {"superseded_at": expires - timedelta(days=1), "retention_expires_at": expires}
            if expires
            else {}
        )
        key = {} if state == "purged" else {"redis_cache_key": f"board:{version}"}
        made.append(
            rows.materialization(
                preset, account, version=version, retention_state=state, row_count=3, **times, **key
            )
        )
        if state != "purged":
            for user in users:
                rows.score(made[-1], user_id=user)
    return made


def _purge(database: Database, before: datetime) -> int:
    with database.connect("laurel_leaderboard") as leaderboard:
        row = leaderboard.execute(
            "SELECT purge_superseded_materializations(%s)", (before,)
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_what_ran_out_before_the_moment_is_purged_and_nothing_else(
    database: Database, owner: Connection[Any]
) -> None:
    earlier, later = NOON - timedelta(seconds=1), NOON + timedelta(seconds=1)
    versions = _versions(
        owner,
        ("purged", earlier),
        ("expired", earlier),
        ("superseded", earlier),
        ("expired", NOON),
        ("superseded", later),
        ("current", None),
    )

    assert _purge(database, NOON) == 2

    states = dict(owner.execute(_STATES).fetchall())
    assert [states[version] for version in versions] == [
        "purged",
        "purged",
        "purged",
        "expired",
        "superseded",
        "current",
    ]
    scores = owner.execute(
        "SELECT materialization_id, count(*) FROM computed_scores GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert scores == [(version, 3) for version in versions[3:]]


def test_a_tombstone_keeps_its_story_but_no_cache_key(
    database: Database, owner: Connection[Any]
) -> None:
    (version,) = _versions(owner, ("superseded", NOON - timedelta(hours=1)))

    assert (_purge(database, NOON), _purge(database, NOON)) == (1, 0)

    row = owner.execute(
        "SELECT row_count, superseded_at IS NOT NULL, retention_expires_at IS NOT NULL,"
        " redis_cache_key FROM leaderboard_materializations WHERE id = %s",
        (version,),
    ).fetchone()
    assert row == (3, True, True, None)


def test_a_version_that_somebody_holds_is_left_to_the_next_round(
    database: Database, owner: Connection[Any]
) -> None:
    held, free = _versions(
        owner, ("expired", NOON - timedelta(hours=2)), ("expired", NOON - timedelta(hours=1))
    )
    with database.connect(autocommit=False) as holder:
        holder.execute(
            "SELECT id FROM leaderboard_materializations WHERE id = %s FOR SHARE", (held,)
        )

        assert _purge(database, NOON) == 1
        assert dict(owner.execute(_STATES).fetchall()) == {held: "expired", free: "purged"}
        holder.rollback()

    assert _purge(database, NOON) == 1
