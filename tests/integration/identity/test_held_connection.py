"""A connection that is held: one for all statements, replaced when it is lost, never half read."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from laurel_common.db.engine import create_engine
from laurel_common.errors import DatabaseUnavailable
from laurel_identity.storage.held_connection import HeldConnection
from tests.support.cuttable import CuttableWay, cuttable
from tests.support.database import Database

ME = "SELECT pg_backend_pid(), %s::int"


@pytest.fixture
async def way(module_database: Database) -> AsyncIterator[CuttableWay]:
    async with cuttable(module_database.url("laurel_identity")) as way:
        yield way


@pytest.fixture
async def held(way: CuttableWay) -> AsyncIterator[HeldConnection]:
    engine = create_engine(way.url, application_name="test", pool_size=1)
    held = HeldConnection(engine)
    yield held
    await held.close()
    await engine.dispose()


async def ask(held: HeldConnection, number: int) -> tuple[Any, ...]:
    (row,) = await held.fetch(ME, [number])
    assert row[1] == number
    return row


async def test_statements_share_a_connection_and_leave_no_transaction_open(
    held: HeldConnection, module_database: Database
) -> None:
    pids = {(await ask(held, each))[0] for each in range(3)}
    assert len(pids) == 1
    with module_database.connect() as owner:
        state = owner.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", [*pids])
        assert state.fetchone() == ("idle",)


async def test_a_connection_that_was_ended_is_replaced_within_the_statement(
    held: HeldConnection, module_database: Database
) -> None:
    before = (await ask(held, 1))[0]
    with module_database.connect() as owner:
        owner.execute("SELECT pg_terminate_backend(%s, 5000)", [before])
    assert (await ask(held, 2))[0] != before


async def test_while_the_database_is_away_that_is_said_and_then_it_goes_on(
    held: HeldConnection, way: CuttableWay
) -> None:
    await ask(held, 1)
    way.cut()
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            await ask(held, 2)
    way.mend()
    await ask(held, 3)


async def test_a_statement_that_was_cut_off_leaves_nothing_to_the_next(
    held: HeldConnection,
) -> None:
    await ask(held, 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await held.fetch("SELECT pg_sleep(%s)", [30])
    await ask(held, 2)


async def test_a_statement_that_fails_leaves_the_connection(held: HeldConnection) -> None:
    before = (await ask(held, 1))[0]
    with pytest.raises(Exception, match="division"):
        await held.fetch("SELECT 1 / %s", [0])
    assert (await ask(held, 2))[0] == before
