"""What has changed is read by its ids and the whole from end to end, whatever the planner knows."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from laurel_ingest.application.ports import StreamQuery
from laurel_ingest.storage.signal_stream import AdbcSignalStream
from tests.support.database import Database
from tests.support.waiting import eventually

LINEAGE = UUID(int=1)

# One installation's month, and what its newest revisions wrote last and rewrote.
MONTH = """
    SET session_replication_role = replica;
    SELECT create_signals_partition(DATE '2026-01-01');
    ALTER TABLE signals_2026_01 SET (autovacuum_enabled = false);
    INSERT INTO signals
        (id, installation_id, user_id, repository_id, type, event_timestamp, content_hash)
    SELECT n, 77, n % 500, n % 50, 'commit', TIMESTAMPTZ '2026-01-01' + n * INTERVAL '2 minutes',
        lpad(n::text, 64, '0')
    FROM generate_series(1, 20000) n;
    INSERT INTO installation_signal_states
        (installation_id, revision, signal_count, first_event_timestamp, last_event_timestamp,
        lineage)
    VALUES (77, 3, 20000, '2026-01-01', '2026-01-31', '00000000-0000-0000-0000-000000000001');
    INSERT INTO signal_changes
        (installation_id, revision, signal_count, first_signal_id, last_signal_id,
        first_event_timestamp, last_event_timestamp, rewritten_ids)
    VALUES (77, 2, 50, 19951, 20000, '2026-01-01', '2026-01-31', '{}'),
        (77, 3, 3, NULL, NULL, '2026-01-01', '2026-01-31', '{7, 700, 7000}');
    INSERT INTO signals
        (id, installation_id, user_id, repository_id, type, event_timestamp, content_hash)
    SELECT 30000 + n, 78, 900, 90, 'commit', TIMESTAMPTZ '2026-01-02' + n * INTERVAL '1 minute',
        lpad((30000 + n)::text, 64, '0')
    FROM generate_series(1, 20) n;
    INSERT INTO installation_signal_states
        (installation_id, revision, signal_count, first_event_timestamp, last_event_timestamp,
        lineage)
    VALUES (78, 1, 20, '2026-01-01', '2026-01-31', '00000000-0000-0000-0000-000000000002')
"""

ANALYZED = "ANALYZE signals_2026_01"
# As rows stand that came in bulk, whatever other tests did.
NEVER_ANALYZED = """
    SET allow_system_table_mods = on;
    DELETE FROM pg_statistic WHERE starelid = 'signals_2026_01'::regclass;
    UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = 'signals_2026_01'::regclass
"""


@pytest.fixture(scope="module")
def owner(module_database: Database) -> Iterator[psycopg.Connection[Any]]:
    with module_database.connect() as connection:
        connection.execute(MONTH)
        yield connection


@pytest.mark.parametrize(
    ("since", "rows"),
    [pytest.param(1, 53, id="new-and-rewritten"), pytest.param(2, 3, id="rewritten")],
)
@pytest.mark.parametrize("known", [False, True], ids=["as-imported", "analyzed"])
async def test_changes_cost_their_own_rows(
    owner: psycopg.Connection[Any], module_database: Database, since: int, rows: int, known: bool
) -> None:
    # Those of never analyzed rows come first.
    if known:
        owner.execute(ANALYZED)
    stream = AdbcSignalStream(module_database.url("laurel_ingest"))
    async with stream.open(StreamQuery(77, since_mark=f"{LINEAGE}.{since}.")) as snapshot:
        assert snapshot.state.changes_only
        statement = snapshot._statement()
    assert statement is not None
    plan = "\n".join(row[0] for row in owner.execute(f"EXPLAIN (ANALYZE) {statement}"))
    assert re.search(rf"rows={rows}(\.00)? loops=1\)", plan), plan
    assert "pk_signals_2026_01" in plan
    assert "idx_" not in plan
    assert "Seq Scan" not in plan
    assert "Rows Removed by Filter" not in plan


@pytest.mark.parametrize("known", [False, True], ids=["as-imported", "analyzed"])
async def test_an_installation_that_is_most_of_all_is_read_from_end_to_end(
    owner: psycopg.Connection[Any], module_database: Database, known: bool
) -> None:
    owner.execute(ANALYZED if known else NEVER_ANALYZED)
    plan = await plan_of(module_database, StreamQuery(77))
    assert "Seq Scan on signals_2026_01" in plan
    assert "idx_" not in plan


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(StreamQuery(78), id="a-small-one"),
        pytest.param(StreamQuery(77, user_ids=(7,)), id="one-user"),
        pytest.param(StreamQuery(77, repository_ids=(7,), user_ids=(7,)), id="user-in-repository"),
    ],
)
async def test_what_is_little_is_found_by_an_index(
    owner: psycopg.Connection[Any], module_database: Database, query: StreamQuery
) -> None:
    owner.execute(ANALYZED)
    plan = await plan_of(module_database, query)
    assert "_2026_01_" in plan
    assert "Seq Scan" not in plan


async def plan_of(database: Database, query: StreamQuery) -> str:
    """How PostgreSQL goes about a snapshot's statement, within the snapshot."""
    async with AdbcSignalStream(database.url("laurel_ingest")).open(query) as snapshot:
        # What EXPLAIN says can't be copied.
        snapshot._cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
        snapshot._cursor.execute(f"EXPLAIN {snapshot._statement()}")
        return "\n".join(row[0] for row in snapshot._cursor.fetchall())


@pytest.mark.parametrize(
    "table",
    [
        pytest.param("installation_signal_states", id="as-it-begins"),
        pytest.param("signals_2026_01", id="as-rows-come"),
    ],
)
async def test_who_goes_away_takes_the_statement_along(
    owner: psycopg.Connection[Any], module_database: Database, table: str
) -> None:
    async def read() -> None:
        stream = AdbcSignalStream(module_database.url("laurel_ingest"))
        async with stream.open(StreamQuery(77)) as snapshot:
            async for _ in snapshot.batches():
                pass

    with module_database.connect(autocommit=False) as locking:
        locking.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        reading = asyncio.create_task(read())
        await asyncio.to_thread(eventually, lambda: is_waited_for(owner, table))
        reading.cancel()
        await asyncio.wait([reading])
        assert reading.cancelled()
        assert not is_waited_for(owner, table)


def is_waited_for(owner: psycopg.Connection[Any], table: str) -> bool:
    """Whether a statement waits for the table."""
    waiting = "SELECT 1 FROM pg_locks WHERE relation = %s::regclass AND NOT granted"
    return owner.execute(waiting, (table,)).fetchone() is not None
