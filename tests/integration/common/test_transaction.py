"""Transactions against a real PostgreSQL: what commits, what ends them, what errors become."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import Constraints, create_engine, run_transaction, transaction, typed_errors
from laurel_common.db.engine import psycopg_url
from laurel_common.deadline import deadline_in
from laurel_common.errors import (
    ConcurrentChange,
    DatabaseUnavailable,
    DeadlineExceeded,
    LaurelError,
    Overloaded,
    ReferenceMissing,
)
from laurel_common.redis import RedisUnavailable, create_redis, optional, redis_errors
from laurel_common.rpc.health import database_check, redis_check
from tests.support.database import Database
from tests.support.urls import with_setting


@pytest.fixture
async def engine(empty_database: Database) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(
        empty_database.url(), application_name="laurel-test", pool_size=3, pool_timeout=0.2
    )
    async with transaction(engine) as connection:
        await connection.execute(
            text("CREATE TABLE parent (id int CONSTRAINT parent_pk PRIMARY KEY)")
        )
        await connection.execute(
            text(
                "CREATE TABLE child (id int, parent int CONSTRAINT child_parent REFERENCES parent,"
                " n int CONSTRAINT child_n CHECK (n > 0))"
            )
        )
    yield engine
    await engine.dispose()


async def numbers(engine: AsyncEngine) -> list[int]:
    async with transaction(engine) as connection:
        return list((await connection.execute(text("SELECT id FROM parent ORDER BY id"))).scalars())


async def put(connection: Any, number: int) -> None:
    await connection.execute(text("INSERT INTO parent (id) VALUES (:id)"), {"id": number})


async def test_it_commits_on_success_and_rolls_back_otherwise(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await put(connection, 1)
    with pytest.raises(RuntimeError):  # noqa: PT012 - the error is raised where the work is done
        async with transaction(engine) as connection:
            await put(connection, 2)
            raise RuntimeError
    assert await numbers(engine) == [1]


async def test_sessions_are_named_and_in_utc(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        row = (
            await connection.execute(
                text("SELECT current_setting('application_name'), current_setting('TimeZone')")
            )
        ).one()
    assert tuple(row) == ("laurel-test", "UTC")


async def test_settings_of_the_url_hold_for_every_driver_and_for_engines_beside_their_own(
    empty_database: Database,
) -> None:
    url = empty_database.url()
    for name in ("lock_timeout", "statement_timeout"):
        url = with_setting(url, name, "7s")
    query = "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')"
    with psycopg.connect(psycopg_url(url)) as connection:
        assert connection.execute(query).fetchone() == ("7s", "7s")
    session = {"plan_cache_mode": "force_custom_plan"}
    engine = create_engine(url, application_name="laurel-test", session=session)
    async with transaction(engine) as connection:
        found = await connection.execute(text(f"{query}, current_setting('plan_cache_mode')"))
        assert tuple(found.one()) == ("7s", "7s", "force_custom_plan")
    await engine.dispose()


async def test_a_constraints_name_decides_the_error(engine: AsyncEngine) -> None:
    class TooSmallError(LaurelError):
        reason = "INVALID_REQUEST"

    constraints: Constraints = {
        "child_parent": ReferenceMissing,
        "child_n": lambda: TooSmallError("n"),
    }
    for row, expected in (("1, 99, 1", ReferenceMissing), ("1, NULL, 0", TooSmallError)):
        with pytest.raises(expected):
            async with transaction(engine, constraints=constraints) as connection:
                await connection.execute(text(f"INSERT INTO child VALUES ({row})"))  # noqa: S608 - from the table above


async def test_an_unmapped_constraint_stays_a_fault_of_ours_and_shows_no_values(
    engine: AsyncEngine,
) -> None:
    with pytest.raises(IntegrityError) as caught:
        async with transaction(engine) as connection:
            await connection.execute(text("INSERT INTO child (n) VALUES (:n)"), {"n": -424242})
    assert "parameters hidden" in str(caught.value)


async def test_a_statement_ends_with_the_deadline(engine: AsyncEngine) -> None:
    with deadline_in(0.15), pytest.raises(DeadlineExceeded):
        async with transaction(engine) as connection:
            await connection.execute(text("SELECT pg_sleep(30)"))
    with deadline_in(0.0), pytest.raises(DeadlineExceeded):
        async with transaction(engine) as connection:
            await put(connection, 1)
    # The limit is the transaction's, not the connection's.
    async with transaction(engine) as connection:
        limit = await connection.execute(text("SHOW statement_timeout"))
        assert limit.scalar_one() == "0"


async def test_a_serialization_failure_is_tried_again(engine: AsyncEngine) -> None:
    attempts = 0

    async def work(connection: Any) -> int:
        nonlocal attempts
        attempts += 1
        count = (await connection.execute(text("SELECT count(*) FROM parent"))).scalar_one()
        if attempts == 1:
            await run_transaction(engine, meanwhile, isolation="SERIALIZABLE")
        await put(connection, 100 + int(count))
        return int(count)

    async def meanwhile(connection: Any) -> None:
        count = (await connection.execute(text("SELECT count(*) FROM parent"))).scalar_one()
        await put(connection, 1 + int(count))

    assert await run_transaction(engine, work, isolation="SERIALIZABLE") == 1
    assert attempts == 2
    assert await numbers(engine) == [1, 101]


async def test_a_conflict_that_never_ends_is_told(engine: AsyncEngine) -> None:
    attempts = 0

    async def work(connection: Any) -> None:
        nonlocal attempts
        attempts += 1
        raise_conflict = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$"
        await connection.execute(text(raise_conflict))

    with pytest.raises(ConcurrentChange):
        await run_transaction(engine, work, attempts=3)
    assert attempts == 3


async def test_a_database_that_is_away_is_unavailable() -> None:
    engine = create_engine("postgresql://nobody@127.0.0.1:1/none", application_name="x")
    with pytest.raises(DatabaseUnavailable):
        async with transaction(engine):
            pass
    with pytest.raises(Exception, match="refused"):
        await database_check(engine).probe()
    await engine.dispose()


async def test_a_connection_that_is_cut_is_unavailable_and_the_next_one_works(
    engine: AsyncEngine, empty_database: Database
) -> None:
    with pytest.raises(DatabaseUnavailable):  # noqa: PT012 - the connection is cut in between
        async with transaction(engine) as connection:
            pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            with empty_database.connect() as other:
                other.execute("SELECT pg_terminate_backend(%s)", (pid,))
            await connection.execute(text("SELECT 1"))
    assert await numbers(engine) == []
    await database_check(engine).probe()


async def test_an_exhausted_pool_says_so(engine: AsyncEngine) -> None:
    release, holding = asyncio.Event(), asyncio.Semaphore(0)

    async def hold() -> None:
        async with transaction(engine):
            holding.release()
            await release.wait()

    holders = [asyncio.ensure_future(hold()) for _ in range(3)]
    for _ in holders:
        await holding.acquire()
    with pytest.raises(Overloaded):
        await numbers(engine)
    release.set()
    await asyncio.gather(*holders)


async def test_errors_of_the_bare_driver_are_typed_too(empty_database: Database) -> None:
    with empty_database.connect() as connection:
        connection.execute("CREATE TABLE t (n int CONSTRAINT t_n CHECK (n > 0))")
        with pytest.raises(ReferenceMissing), typed_errors({"t_n": ReferenceMissing}):
            connection.execute("INSERT INTO t VALUES (0)")
        with pytest.raises(psycopg.errors.UndefinedTable), typed_errors():
            connection.execute("SELECT n FROM nowhere")


async def test_redis_is_a_typed_error_or_a_default_while_it_is_away(redis_url: str) -> None:
    here, away = create_redis(redis_url), create_redis("redis://127.0.0.1:1")
    await here.set("laurel-test", b"1")
    assert await optional(here.get("laurel-test"), None) == b"1"
    assert await optional(away.get("laurel-test"), b"default") == b"default"
    with pytest.raises(RedisUnavailable), redis_errors():
        await away.get("laurel-test")
    await redis_check(here).probe()
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        await redis_check(away).probe()
    await here.aclose()
    await away.aclose()


async def test_a_cancelled_call_rolls_back_and_gives_its_connection_back(
    engine: AsyncEngine, empty_database: Database
) -> None:
    def sleeping() -> int:
        with empty_database.connect() as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE application_name = 'laurel-test' AND state = 'active'"
                " AND wait_event = 'PgSleep' AND datname = current_database()"
            ).fetchone()
        return 0 if row is None else int(row[0])

    async def work() -> None:
        async with transaction(engine) as connection:
            await put(connection, 7)
            await connection.execute(text("SELECT pg_sleep(60)"))

    for _ in range(4):  # more often than the pool has connections
        task = asyncio.ensure_future(work())
        # PostgreSQL forgets a cancellation that comes before the statement does.
        while not sleeping():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await numbers(engine) == []
    assert sleeping() == 0


async def test_a_call_that_is_cancelled_as_a_copy_begins_is_cancelled_and_nothing_else(
    engine: AsyncEngine,
) -> None:
    begun, left_open = asyncio.Event(), list[Any]()

    async def work() -> None:
        async with transaction(engine) as connection:
            await put(connection, 1)
            driver: Any = (await connection.get_raw_connection()).driver_connection
            # As the driver leaves it whose own attempt to cancel came too early.
            left_open.append(driver.cursor().copy("COPY parent FROM STDIN"))
            await left_open[-1].__aenter__()
            begun.set()
            await asyncio.Event().wait()

    for _ in range(4):  # more often than the pool has connections
        begun.clear()
        call = asyncio.create_task(work())
        await begun.wait()
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
    assert await numbers(engine) == []
