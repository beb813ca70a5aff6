"""Publishing on a real PostgreSQL: whole or not at all, one at a time, whatever breaks."""

import asyncio
import threading
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import create_engine
from laurel_common.errors import DatabaseUnavailable, ReferenceMissing
from laurel_leaderboard.domain.errors import NewerVersionExists
from laurel_leaderboard.domain.rows import COUNTS, POINTS
from laurel_leaderboard.domain.versions import PublishHeader
from laurel_leaderboard.storage import publications, score_copy
from laurel_leaderboard.storage.publications import PostgresPublications
from laurel_leaderboard.storage.retention import PostgresRetention
from tests.integration.leaderboard.conftest import RETENTION, Replica
from tests.support.database import Database
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    NOON,
    ORGANIZATION,
    PRESET,
    RULES,
    TEAMS,
    BoardOf,
    address_of,
    header_of,
    rows_of,
)

BOARD = BoardOf({1: 30_000, 2: -5, 3: 30_000})
SECOND = timedelta(seconds=1)


@pytest.fixture
def store(engine: AsyncEngine) -> PostgresPublications:
    return PostgresPublications(engine, retention=RETENTION)


async def publish(
    store: PostgresPublications, *boards: BoardOf, header: PublishHeader | None = None
) -> None:
    header = header or header_of()
    await store.publish_group(
        header, [board.new() for board in boards], rows_of(*boards), header.as_of
    )


def scalar(database: Database, query: str) -> object:
    with database.connect() as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def state(database: Database) -> list[tuple[object, ...]]:
    with database.connect() as connection:
        return connection.execute(
            "SELECT m.version, m.retention_state, count(s.id) FROM leaderboard_materializations m"
            " LEFT JOIN computed_scores s ON s.materialization_id = m.id"
            " GROUP BY m.id ORDER BY m.version"
        ).fetchall()


async def test_a_row_holds_what_was_published(
    store: PostgresPublications, database: Database
) -> None:
    await publish(store, BOARD)
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT user_id, scored_team_id, scored_repo_id, entity_type::text, time_period::text,"
            " score::text, rank, additions, deletions, member_count, version, breakdown, counts"
            " FROM computed_scores ORDER BY rank, user_id"
        ).fetchall()
    breakdown = {name.removesuffix("_e4"): 0 for name in POINTS} | {
        "commits": 1.9995,
        "penalties": -2,
    }
    counts = {name.removeprefix("count_"): 0 for name in COUNTS} | {"commit": 3}
    assert [row[:7] for row in rows] == [
        (1, None, None, "contributor", "all_time", "3.0000", 1),
        (3, None, None, "contributor", "all_time", "3.0000", 1),
        (2, None, None, "contributor", "all_time", "-0.0005", 3),
    ]
    assert rows[2][7:] == (11, 5, None, 1, breakdown, counts)


async def test_a_version_names_its_inputs_and_its_redis_key(
    store: PostgresPublications, database: Database
) -> None:
    await publish(store, BOARD)
    with database.connect() as connection:
        found = connection.execute(
            "SELECT m.row_count, m.signal_count, m.redis_cache_key, m.computed_at, i.as_of,"
            " i.rules::text, i.input_mark, i.last_checked_at, i.digest"
            " FROM leaderboard_materializations m"
            " JOIN materialization_inputs i ON i.materialization_id = m.id"
        ).fetchone()
    key = f"laurel:lb:3:board:{PRESET}:organization:{ORGANIZATION}:contributor:all_time"
    assert found == (3, 3, key, NOON, NOON, RULES, "mark", NOON, BOARD.new().digest)


async def test_boards_of_every_kind_of_entity_go_in_one_group(
    store: PostgresPublications, database: Database
) -> None:
    await publish(store, BOARD, BoardOf({801: 4, 802: 4}, TEAMS))
    assert scalar(database, "SELECT count(*) FROM computed_scores WHERE member_count = 4") == 2


async def test_many_rows_go_in_several_chunks(
    store: PostgresPublications, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laurel_leaderboard.storage.score_copy.CHUNK_ROWS", 3)
    board = BoardOf({n: 10 * n for n in range(1, 21)})
    await publish(store, board, BoardOf({801: 1}, TEAMS))
    found = "SELECT count(*) FROM computed_scores WHERE user_id = 21 - rank"
    assert scalar(database, found) == 20


async def test_concurrent_publishers_of_a_board_take_turns(
    store: PostgresPublications, database: Database
) -> None:
    """Of results of one instant one is taken, of later ones all that come in order."""
    headers = [header_of(NOON + timedelta(seconds=n // 2)) for n in range(8)]
    boards = [BoardOf({1: n + 1}) for n in range(8)]
    outcomes = await asyncio.gather(
        *(publish(store, board, header=h) for board, h in zip(boards, headers, strict=True)),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert all(isinstance(outcome, NewerVersionExists) for outcome in refused)
    found = state(database)
    taken = len(outcomes) - len(refused)
    assert [row[0] for row in found] == list(range(1, taken + 1))
    assert [row[1] for row in found] == ["superseded"] * (taken - 1) + ["current"]
    newest = "SELECT max(as_of) FROM materialization_inputs"
    assert scalar(database, newest) == NOON + timedelta(seconds=3)


async def test_publishers_of_overlapping_groups_do_not_deadlock(
    store: PostgresPublications, database: Database
) -> None:
    other = CONTRIBUTORS._replace(time_period=TEAMS.time_period, entity_type=TEAMS.entity_type)
    groups = [
        (BoardOf({n + 1: 5}), BoardOf({801: n}, other))
        if n % 2
        else (BoardOf({801: n}, other), BoardOf({n + 1: 5}))
        for n in range(6)
    ]
    await asyncio.gather(
        *(
            publish(store, *group, header=header_of(NOON + timedelta(seconds=n)))
            for n, group in enumerate(groups)
        ),
        return_exceptions=True,
    )
    current = "SELECT count(*) FROM leaderboard_materializations WHERE retention_state = 'current'"
    assert scalar(database, current) == 2


async def test_a_missing_user_in_the_last_row_leaves_nothing(
    store: PostgresPublications, database: Database
) -> None:
    await publish(store, BOARD)
    with pytest.raises(ReferenceMissing, match="user"):
        await publish(store, BoardOf({1: 9, 999: 1}), header=header_of(NOON + SECOND))
    assert state(database) == [(1, "current", 3)]


async def test_a_connection_that_dies_while_copying_leaves_nothing(
    database: Database, store: PostgresPublications, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(store, BOARD)
    chunks = score_copy.copy_chunks

    def cut(*args: object) -> object:
        yield from chunks(*args)  # type: ignore[arg-type]  # passed through
        with database.connect() as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'test' AND datname = current_database()"
            )
        yield b""

    monkeypatch.setattr(publications, "copy_chunks", cut)
    with pytest.raises(DatabaseUnavailable):
        await publish(store, BoardOf({1: 9}), header=header_of(NOON + SECOND))
    monkeypatch.undo()
    assert state(database) == [(1, "current", 3)]
    await publish(store, BoardOf({1: 9}), header=header_of(NOON + SECOND))
    assert state(database) == [(1, "superseded", 3), (2, "current", 1)]


async def test_a_publisher_that_is_cancelled_while_copying_leaves_nothing(
    database: Database, store: PostgresPublications, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(store, BOARD)
    reached, released = asyncio.Event(), threading.Event()
    chunks = score_copy.copy_chunks
    loop = asyncio.get_running_loop()

    def slow(*args: object) -> object:
        for chunk in chunks(*args):  # type: ignore[arg-type]  # passed through
            yield chunk
            loop.call_soon_threadsafe(reached.set)
            released.wait(10)

    monkeypatch.setattr(publications, "copy_chunks", slow)
    task = asyncio.create_task(publish(store, BoardOf({1: 9}), header=header_of(NOON + SECOND)))
    await reached.wait()
    task.cancel()
    released.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert state(database) == [(1, "current", 3)]


async def test_a_preset_serves_alone(
    store: PostgresPublications, replica: Replica, database: Database
) -> None:
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO scoring_presets (id, installation_id, preset_name) VALUES (8, 71, 'other')"
        )
    await replica.publish(BOARD)
    other = header_of(preset=header_of().preset._replace(preset_id=8))
    await replica.publish(BoardOf({1: 1}), header=other)
    served = await replica.versions.current(address_of())
    assert served is not None
    assert served.preset.preset_id == 8
    await asyncio.gather(*(store.serve_preset(h) for h in (header_of(), other) * 4))
    count = "SELECT count(*) FROM published_presets WHERE is_served"
    assert scalar(database, count) == 1


async def test_erasing_the_installation_erases_its_boards(
    store: PostgresPublications, database: Database
) -> None:
    await publish(store, BOARD)
    with database.connect() as connection:
        connection.execute("DELETE FROM github_installations")
    assert state(database) == []
    assert scalar(database, "SELECT count(*) FROM materialization_inputs") == 0
    assert scalar(database, "SELECT count(*) FROM published_presets") == 0


async def test_one_replica_retires_at_a_time(
    store: PostgresPublications, engine: AsyncEngine, database: Database
) -> None:
    await publish(store, BOARD)
    await publish(store, BoardOf({1: 1}), header=header_of(NOON + SECOND))
    long_after = NOON + timedelta(days=3)
    with psycopg.connect(database.url()) as holder:
        holder.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('laurel.leaderboard.retention', 0))"
        )
        assert await PostgresRetention(engine).retire(long_after, NOON) == (0, 0)
    assert await PostgresRetention(engine).retire(long_after, long_after) == (1, 1)
    assert state(database) == [(1, "purged", 0), (2, "current", 1)]


async def test_without_a_database_publishing_says_so(database: Database) -> None:
    gone = create_engine("postgresql://nobody@127.0.0.1:1/none", application_name="test")
    with pytest.raises(DatabaseUnavailable):
        await publish(PostgresPublications(gone, retention=RETENTION), BOARD)
    await gone.dispose()
