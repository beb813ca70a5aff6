"""Imports into a real database: order, breakdowns, importers at once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from laurel_common.db import create_engine
from laurel_common.testing.clock import FakeClock
from laurel_ingest.application.import_events import ImportEvents
from laurel_ingest.application.line_reading import RawBatch
from laurel_ingest.application.ports import SignalQuery
from laurel_ingest.domain.identities import hashed_email
from laurel_ingest.domain.people import Person
from laurel_ingest.storage.postgres import PostgresStorage
from laurel_ingest.storage.signal_reader import PostgresSignalReader
from laurel_ingest.storage.signal_writer import SignalWriter
from tests.integration.ingest.conftest import NOW
from tests.support.database import Database
from tests.support.ingest_builders import (
    commit,
    issue,
    issue_event,
    lines_of,
    pull,
    pull_event,
    push,
)
from tests.support.ingest_directory import DatabaseDirectory
from tests.support.ingest_strategies import rearranged

Event = dict[str, Any]
Rows = list[tuple[Any, ...]]

_FORGET = """
    TRUNCATE signals, signal_keys, repository_facts, repository_fact_links,
        synthetic_user_claims, former_user_claims, installation_signal_states, signal_changes
"""


def rows_of(database: Database) -> Rows:
    with database.connect() as connection:
        return connection.execute(
            "SELECT installation_id, user_id, type::text, event_timestamp, content_hash, metadata"
            " FROM signals ORDER BY content_hash, user_id"
        ).fetchall()


def forget(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(_FORGET)


async def bring(imports: ImportEvents, batches: Sequence[Sequence[Event]]) -> None:
    session = imports.archive(())
    for batch in batches:
        await session.take(RawBatch(lines_of(batch)))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=rearranged(most=10))
def test_any_order_and_any_batches_end_in_the_same_rows(
    database: Database, case: tuple[list[Event], list[list[Event]]]
) -> None:
    history, batches = case
    asyncio.run(_compare(database, history, batches))


async def _compare(database: Database, history: list[Event], batches: list[list[Event]]) -> None:
    engine = create_engine(database.url("laurel_ingest"), application_name="test", pool_size=2)
    imports = ImportEvents(
        PostgresStorage(engine), DatabaseDirectory(database.url()), FakeClock(NOW)
    )
    try:
        forget(database)
        await bring(imports, [history])
        in_order = rows_of(database)
        forget(database)
        await bring(imports, batches)
        assert rows_of(database) == in_order
        with database.connect() as connection:
            keys = connection.execute(
                "SELECT count(*) FROM signal_keys AS k JOIN signals AS s"
                " ON s.id = k.signal_id AND s.event_timestamp = k.event_timestamp"
            ).fetchone()
        assert keys == (len(in_order),)
    finally:
        await engine.dispose()


async def test_a_batch_that_breaks_leaves_nothing_and_goes_in_when_it_comes_again(
    imports: ImportEvents, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [push(commit(1), commit(2)), pull_event("opened", pull(3))]

    async def breaks(*_: object, **__: object) -> int:
        raise ConnectionResetError

    with monkeypatch.context() as broken:
        broken.setattr(SignalWriter, "withdraw", breaks)
        with pytest.raises(ConnectionResetError):
            await bring(imports, [events])
    with database.connect() as connection:
        (facts,) = connection.execute("SELECT count(*) FROM repository_facts").fetchone() or (0,)
    assert (rows_of(database), facts) == ([], 0)

    await bring(imports, [events])
    assert len(rows_of(database)) == 3


async def test_importers_at_once_end_with_each_signal_once(
    imports: ImportEvents, database: Database
) -> None:
    events = [push(commit(each), commit(each + 1)) for each in range(40)]
    events += [pull_event("opened", pull(each + 1)) for each in range(40)]
    events += [issue_event("closed", issue(each + 1)) for each in range(40)]
    halves = [events[:80], events[40:], list(reversed(events)), events[::2]]

    await asyncio.gather(*(bring(imports, [half[:30], half[30:60], half[60:]]) for half in halves))

    rows = rows_of(database)
    assert len(rows) == 41 + 40 + 40
    forget(database)
    await bring(imports, [events])
    assert rows_of(database) == rows


async def test_a_fork_told_of_later_takes_its_commits_back(
    imports: ImportEvents, database: Database
) -> None:
    await bring(imports, [[push(commit(1))]])
    assert len(rows_of(database)) == 1
    base = {"repo": {"id": 500, "fork": True, "default_branch": "main"}}
    await bring(imports, [[pull_event("edited", pull(9, base=base))]])
    assert rows_of(database) == []


async def test_another_default_branch_told_of_later_changes_which_commits_count(
    imports: ImportEvents, database: Database
) -> None:
    await bring(imports, [[push(commit(1)), push(commit(2), ref="refs/heads/trunk")]])
    base = {"repo": {"id": 500, "fork": False, "default_branch": "trunk"}}
    before = rows_of(database)
    await bring(imports, [[pull_event("edited", pull(9, base=base))]])
    after = rows_of(database)
    assert (len(before), len(after)) == (1, 1)
    assert before[0][4] != after[0][4]


@pytest.mark.parametrize("known_first", [True, False], ids=["known first", "known later"])
async def test_a_hashed_author_whom_only_the_directory_knows_is_that_person(
    storage: PostgresStorage, database: Database, known_first: bool
) -> None:
    hashed = hashed_email("77+Quiet@users.noreply.github.com")
    steps: list[Any] = [[push(commit(1, email=hashed))], [Person(77, "Quiet")]]
    for step in reversed(steps) if known_first else steps:
        if isinstance(step[0], Person):
            await DatabaseDirectory(database.url()).enter(step, [], 0)
        else:
            directory = DatabaseDirectory(database.url())
            await bring(ImportEvents(storage, directory, FakeClock(NOW)), [step])
    # Another commit of the author's, in another stream, moves the earlier one as well.
    directory = DatabaseDirectory(database.url())
    await bring(ImportEvents(storage, directory, FakeClock(NOW)), [[push(commit(2, email=hashed))]])
    assert [row[1] for row in rows_of(database)] == [77, 77]


@pytest.mark.parametrize("told_first", [True, False], ids=["told first", "asked first"])
async def test_the_oldest_who_had_a_login_is_its_hashed_address_whoever_is_met_first(
    imports: ImportEvents, database: Database, told_first: bool
) -> None:
    hashed = hashed_email("shared@users.noreply.github.com")
    await DatabaseDirectory(database.url()).enter([Person(5, "shared")], [], 0)
    newer = {"id": 9, "login": "shared"}
    told = [issue_event("opened", issue(7, user=newer))]
    asked = [push(commit(1, email=hashed))]
    await bring(imports, [told, asked] if told_first else [asked, told])
    assert {(row[2], row[1]) for row in rows_of(database)} == {("issue_open", 9), ("commit", 5)}


async def test_whom_an_author_stood_for_until_an_older_account_came_is_kept(
    imports: ImportEvents, database: Database
) -> None:
    asked = [push(commit(1, email=hashed_email("shared@users.noreply.github.com")))]
    newer, older = (issue(id_, user={"id": id_, "login": "shared"}) for id_ in (9, 5))
    await bring(imports, [asked, [issue_event("opened", newer)]])
    assert [row[1] for row in rows_of(database) if row[2] == "commit"] == [9]
    await bring(imports, [[issue_event("opened", older)]])
    assert [row[1] for row in rows_of(database) if row[2] == "commit"] == [5]
    with database.connect() as connection:
        kept = connection.execute(
            "SELECT DISTINCT f.user_id, c.user_id, f.ended_at = c.created_at"
            " FROM former_user_claims AS f JOIN synthetic_user_claims AS c USING (synthetic_id)"
        ).fetchall()
    assert kept == [(9, 5, True)]


async def test_what_is_known_already_is_not_told_to_the_directory_again(
    storage: PostgresStorage, database: Database
) -> None:
    directory = DatabaseDirectory(database.url())
    session = ImportEvents(storage, directory, FakeClock(NOW)).archive(())
    batch = RawBatch(lines_of([push(commit(1)), pull_event("opened", pull(1))]))
    await session.take(batch)
    calls = directory.calls
    await session.take(batch)
    assert directory.calls == calls


async def test_writers_queue_and_leave_connections_to_readers(database: Database) -> None:
    engine = create_engine(database.url("laurel_ingest"), application_name="test", pool_size=2)
    storage = PostgresStorage(engine, writers=1)
    begun, let_go = 0, asyncio.Event()

    async def write() -> None:
        nonlocal begun
        async with storage.transaction() as unit:
            begun += 1
            await unit.signals.lock([500])
            await let_go.wait()

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        for _ in range(12):
            tasks.create_task(write())
        while begun == 0:
            await asyncio.sleep(0)
        query = SignalQuery(installation_id=1)
        assert await PostgresSignalReader(engine).page(query, None, 10) == []
        assert begun == 1
        let_go.set()
    assert begun == 12
    await engine.dispose()
