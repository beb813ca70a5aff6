"""The life of signals' monthly partitions."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg import Connection
from psycopg.errors import InvalidParameterValue

from tests.support.database import Database
from tests.support.rows import Rows
from tests.support.waiting import eventually

_PARTITIONS = """
    SELECT child.relname, pg_get_expr(child.relpartbound, child.oid)
    FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
    WHERE inhparent = 'public.signals'::regclass AND child.relname <> 'signals_default'
    ORDER BY child.relname
"""
_ENSURE = "SELECT ensure_signals_monthly_partitions(%s, %s)"


def _partitions(connection: Connection[Any]) -> list[str]:
    return [name for name, _ in connection.execute(_PARTITIONS)]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _placed(connection: Connection[Any]) -> list[tuple[int, str]]:
    rows = connection.execute("SELECT id, tableoid::regclass::text FROM signals ORDER BY id")
    return rows.fetchall()


def test_both_ends_of_the_range_get_their_month_once(database: Database) -> None:
    with database.connect("laurel_ingest") as ingest:
        first = ingest.execute(_ENSURE, (_at("2024-11-30"), _at("2025-02-01"))).fetchone()
        again = ingest.execute(_ENSURE, (_at("2024-11-30"), _at("2025-02-01"))).fetchone()
        wider = ingest.execute(_ENSURE, (_at("2024-10-01"), _at("2025-02-28"))).fetchone()

    assert (first, again, wider) == ((4,), (0,), (1,))
    with database.connect() as connection:
        assert _partitions(connection) == [
            "signals_2024_10",
            "signals_2024_11",
            "signals_2024_12",
            "signals_2025_01",
            "signals_2025_02",
        ]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_months_are_utc_whatever_the_session_thinks(database: Database, zone: str) -> None:
    with database.connect() as connection:
        connection.execute(f"SET timezone = '{zone}'")
        moment = _at("2025-03-01T00:00:00")
        connection.execute(_ENSURE, (moment, moment))
        connection.execute("SET timezone = 'UTC'")
        bounds = connection.execute(_PARTITIONS).fetchall()

    expected = "FOR VALUES FROM ('2025-03-01 00:00:00+00') TO ('2025-04-01 00:00:00+00')"
    assert bounds == [("signals_2025_03", expected)]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-02-01", "2025-01-01"),
        (None, "2025-01-01"),
        ("2025-01-01", None),
        ("-infinity", "2025-01-01"),
        ("2025-01-01", "infinity"),
        ("1970-01-01", "2025-01-01"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(
    module_database: Database, start: str | None, end: str | None
) -> None:
    with module_database.connect() as connection, pytest.raises(InvalidParameterValue):
        connection.execute(
            "SELECT ensure_signals_monthly_partitions(%s::timestamptz, %s::timestamptz)",
            (start, end),
        )


def test_two_makers_of_the_same_months_are_safe(database: Database) -> None:
    def make(_: int) -> int:
        with database.connect("laurel_ingest") as ingest:
            row = ingest.execute(_ENSURE, (_at("2020-01-01"), _at("2021-12-31"))).fetchone()
            return int(row[0]) if row else -1

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(make, range(4)))

    assert sorted(made) == [0, 0, 0, 24]
    with database.connect() as connection:
        assert len(_partitions(connection)) == 24


def test_rows_move_out_of_the_default_partition_unchanged(database: Database) -> None:
    with database.connect() as connection:
        rows = Rows(connection)
        scope = rows.installation(), rows.user(), rows.repository()
        times = ["2025-05-31T23:59:59", "2025-06-01", "2025-06-30T23:59:59", "2025-07-01"]
        ids = [
            rows.signal(*scope, event_timestamp=_at(time), value="2.5", metadata={"n": n})
            for n, time in enumerate(times)
        ]
        query = (
            "SELECT id, installation_id, user_id, repository_id, type, value, event_timestamp,"
            " content_hash, metadata FROM signals ORDER BY id"
        )
        before = connection.execute(query).fetchall()

        connection.execute(_ENSURE, (_at("2025-06-15"), _at("2025-06-15")))

        assert connection.execute(query).fetchall() == before
        assert _placed(connection) == [
            (ids[0], "signals_default"),
            (ids[1], "signals_2025_06"),
            (ids[2], "signals_2025_06"),
            (ids[3], "signals_default"),
        ]


def test_a_signal_lands_in_its_month_once_that_exists(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(_ENSURE, (_at("2025-06-01"), _at("2025-06-01")))
        rows = Rows(connection)
        signal = rows.signal(rows.installation(), rows.user(), rows.repository())

        assert _placed(connection) == [(signal, "signals_2025_06")]
        health = connection.execute("SELECT count(*) FROM signals_partition_health").fetchone()
        assert health == (0,)


def test_what_lands_in_the_default_partition_is_logged_and_resolved(database: Database) -> None:
    with database.connect() as connection:
        rows = Rows(connection)
        scope = rows.installation(), rows.user(), rows.repository()
        for time in ("2025-06-01", "2025-06-09", "2025-06-30T23:00:00", "2025-08-01"):
            rows.signal(*scope, event_timestamp=_at(time))
        query = (
            "SELECT event_month::text, sum(hits), resolved_at IS NOT NULL"
            " FROM signals_partition_health GROUP BY 1, 3 ORDER BY 1"
        )
        assert connection.execute(query).fetchall() == [
            ("2025-06-01", 3, False),
            ("2025-08-01", 1, False),
        ]

        connection.execute(_ENSURE, (_at("2025-06-01"), _at("2025-06-01")))

        assert connection.execute(query).fetchall() == [
            ("2025-06-01", 3, True),
            ("2025-08-01", 1, False),
        ]
        folded = connection.execute(
            "SELECT hits, first_event_timestamp, last_event_timestamp"
            " FROM signals_partition_health WHERE resolved_at IS NOT NULL"
        ).fetchall()
        assert folded == [(3, _at("2025-06-01"), _at("2025-06-30T23:00:00"))]


def test_ingest_itself_is_logged_when_it_copies_into_the_default(database: Database) -> None:
    with database.connect() as owner:
        rows = Rows(owner)
        scope = rows.installation(), rows.user(), rows.repository()
    with database.connect("laurel_ingest") as ingest:
        statement = (
            "COPY signals (installation_id, user_id, repository_id, type, event_timestamp,"
            " content_hash) FROM STDIN"
        )
        with ingest.cursor().copy(statement) as copy:
            for number in range(3):
                copy.write_row((*scope, "commit", _at("2025-06-01"), f"{number:064x}"))
        hits = ingest.execute("SELECT sum(hits) FROM signals_partition_health").fetchone()

    assert hits == (3,)


def test_a_reader_in_the_way_is_waited_for(database: Database) -> None:
    """The maker lets go and tries again, so a reader that ends in time stops nothing."""
    with database.connect(autocommit=False) as reader, ThreadPoolExecutor(1) as pool:
        reader.execute("SELECT count(*) FROM signals_default")

        def make() -> int:
            with database.connect("laurel_ingest") as ingest:
                row = ingest.execute(_ENSURE, (_at("2025-06-01"), _at("2025-06-01"))).fetchone()
                return int(row[0]) if row else -1

        making = pool.submit(make)
        with database.connect() as watcher:
            _until_somebody_waits(watcher)
        # Others read on while the maker waits: it never queues for long.
        with database.connect() as other:
            other.execute("SET statement_timeout = '5s'")
            assert other.execute("SELECT count(*) FROM signals_default").fetchone() == (0,)
        reader.rollback()

        assert making.result(timeout=30) == 1


def _until_somebody_waits(connection: Connection[Any]) -> None:
    query = (
        "SELECT count(*) > 0 FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        " WHERE NOT granted AND datname = current_database()"
    )
    eventually(lambda: connection.execute(query).fetchone() == (True,))


def test_old_partitions_are_dropped_with_the_keys_of_their_rows(database: Database) -> None:
    with database.connect() as connection:
        rows = Rows(connection)
        scope = rows.installation(), rows.user(), rows.repository()
        this_month = connection.execute("SELECT date_trunc('month', now())").fetchone()
        assert this_month is not None
        ages = [0, 3, 4, 5, 40]
        for age in ages:
            moment = connection.execute(
                "SELECT %s::timestamptz - make_interval(months => %s)", (this_month[0], age)
            ).fetchone()
            assert moment is not None
            if age != 40:  # its row stays in the default partition
                connection.execute(_ENSURE, (moment[0], moment[0]))
            signal = rows.signal(*scope, event_timestamp=moment[0])
            rows.insert(
                "signal_keys",
                content_hash=bytes([age]) * 32,
                installation_id=scope[0],
                signal_id=signal,
                event_timestamp=moment[0],
                standing=3,
            )
        with database.connect("laurel_ingest") as ingest:
            dropped = ingest.execute("SELECT drop_old_signals_partitions(3)").fetchone()
            again = ingest.execute("SELECT drop_old_signals_partitions(3)").fetchone()
        signals = connection.execute("SELECT count(*) FROM signals").fetchone()
        keys = {
            row[0][0]
            for row in connection.execute("SELECT content_hash FROM signal_keys").fetchall()
        }

    assert (dropped, again) == ((2,), (0,))
    assert signals == (3,)
    assert keys == {0, 3, 40}


def test_dropping_waits_for_a_reader_of_the_old_month(database: Database) -> None:
    with database.connect() as owner:
        owner.execute(_ENSURE, (_at("2020-01-01"), _at("2020-01-01")))
    with database.connect(autocommit=False) as reader, ThreadPoolExecutor(1) as pool:
        reader.execute("SELECT count(*) FROM signals")

        def drop() -> tuple[int, ...] | None:
            with database.connect("laurel_ingest") as ingest:
                return ingest.execute("SELECT drop_old_signals_partitions(1)").fetchone()

        dropping = pool.submit(drop)
        with database.connect() as watcher:
            _until_somebody_waits(watcher)
        reader.rollback()

        assert dropping.result(timeout=30) == (1,)


@pytest.mark.parametrize("months", [0, -1, None])
def test_dropping_everything_is_refused(module_database: Database, months: int | None) -> None:
    with module_database.connect() as connection, pytest.raises(InvalidParameterValue):
        connection.execute("SELECT drop_old_signals_partitions(%s::integer)", (months,))


@pytest.mark.parametrize(
    "function",
    ["ensure_signals_monthly_partitions", "drop_old_signals_partitions"],
)
def test_functions_with_their_owners_rights_trust_no_search_path(
    database: Database, function: str
) -> None:
    with database.connect() as connection:
        row = connection.execute(
            "SELECT prosecdef, proconfig FROM pg_proc WHERE proname = %s", (function,)
        ).fetchone()

    assert row is not None
    assert row[0] is True
    assert "search_path=pg_catalog, pg_temp" in row[1]
