"""Reading and writing an installation's signals keeps to the months that they are in."""

from datetime import UTC, datetime

from laurel_common.db import create_engine
from laurel_common.testing.clock import FakeClock
from laurel_ingest.application.import_events import ImportEvents
from laurel_ingest.application.line_reading import RawBatch
from laurel_ingest.application.ports import SignalQuery, StreamQuery
from laurel_ingest.storage.postgres import PostgresStorage
from laurel_ingest.storage.sessions import SESSION
from laurel_ingest.storage.signal_reader import PostgresSignalReader
from laurel_ingest.storage.signal_stream import AdbcSignalStream
from laurel_ingest.storage.thing_lookup import ThingTable
from tests.integration.ingest.conftest import NOW
from tests.support.database import Database
from tests.support.ingest_builders import (
    INSTALLATION_ID,
    commit,
    issue,
    issue_event,
    lines_of,
    push,
)
from tests.support.ingest_directory import DatabaseDirectory
from tests.support.urls import with_setting

# More often than a driver or PostgreSQL takes to think of a plan that is good for any value.
OFTEN = 12


# The locks below are never let go: whoever waits for one of them waits in vain.
IMPATIENT = {**SESSION, "lock_timeout": "5s"}


async def test_nobody_waits_for_a_month_that_is_not_the_installations(database: Database) -> None:
    url = database.url("laurel_ingest")
    engine = create_engine(url, application_name="test", pool_size=4, session=IMPATIENT)
    directory = DatabaseDirectory(database.url())
    imports = ImportEvents(PostgresStorage(engine), directory, FakeClock(NOW)).archive([])
    reader, things = PostgresSignalReader(engine), ThingTable(engine)
    stream = AdbcSignalStream(with_setting(url, "lock_timeout", "5s"))
    with database.connect(autocommit=False) as owner:
        owner.execute("SELECT ensure_signals_monthly_partitions('2021-02-01', '2021-09-01')")
        owner.commit()
        await imports.take(RawBatch(lines_of([push(commit("first"))])))
        for month in ("2021_02", "2021_04", "2021_09"):
            owner.execute(f"LOCK TABLE signals_{month} IN ACCESS EXCLUSIVE MODE")
        for each in range(OFTEN):
            # New ones, known ones that change, and some that go.
            is_closed, at = each % 2 == 0, f"2021-05-{each + 4:02}T10:00:00Z"
            source = issue(closed_at=at if is_closed else None)
            changed = issue_event("closed" if is_closed else "reopened", source, at=at)
            told = [push(commit("first"), commit(each)), changed]
            await imports.take(RawBatch(lines_of(told)))
            page = await reader.page(SignalQuery(INSTALLATION_ID), None, 100)
            assert await things.thing_of(INSTALLATION_ID, page[-1].id) is None  # a commit
            async with stream.open(StreamQuery(INSTALLATION_ID)) as snapshot:
                assert [batch async for batch in snapshot.batches()]
        assert len(page) == OFTEN + 1
    await engine.dispose()


async def test_the_month_to_come_has_its_partition_as_soon_as_the_present_one_has(
    storage: PostgresStorage, database: Database
) -> None:
    now = datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)
    imports = ImportEvents(storage, DatabaseDirectory(database.url()), FakeClock(now))
    told = [push(commit(1)), push(commit(2), at="2025-12-31T23:59:00Z")]
    await imports.archive([]).take(RawBatch(lines_of(told)))
    with database.connect() as owner:
        found = owner.execute(
            "SELECT relname FROM pg_class WHERE relname ~ '^signals_20[0-9_]+$' ORDER BY 1"
        ).fetchall()
    assert [row[0] for row in found] == ["signals_2021_05", "signals_2025_12", "signals_2026_01"]
