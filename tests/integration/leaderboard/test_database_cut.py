"""PostgreSQL going away and coming back under readers, for real."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from laurel.leaderboard.v1.leaderboard_pb2 import FRESHNESS_FRESH, FRESHNESS_STALE
from laurel_common.errors import DatabaseUnavailable
from laurel_common.testing.clock import FakeClock
from laurel_leaderboard.domain.boards import TimePeriod
from tests.integration.leaderboard.conftest import Replica
from tests.integration.leaderboard.test_reads import settle
from tests.support.database import Database
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    NOON,
    BoardOf,
    address_of,
    header_of,
)

BOARD = BoardOf({1: 30, 2: 20})
WEEK = CONTRIBUTORS._replace(time_period=TimePeriod.WEEK)


@contextmanager
def cut_off(database: Database) -> Iterator[None]:
    """Nobody is connected to the database, and nobody can connect, inside."""
    name = sql.Identifier(database.name)
    allow = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
    with psycopg.connect(database.endpoints.admin_url, autocommit=True) as admin:
        admin.execute(allow.format(name, sql.SQL("false")))
        try:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (database.name,),
            )
            yield
        finally:
            admin.execute(allow.format(name, sql.SQL("true")))


async def test_readers_of_known_boards_notice_nothing_but_staleness(
    replica: Replica, database: Database, clock: FakeClock
) -> None:
    await replica.publish(BOARD, BoardOf({3: 1}, WEEK))
    first = await replica.get()
    await replica.shared._redis.flushdb()
    with cut_off(database):
        for _ in range(3):
            clock.advance(timedelta(seconds=20))
            answer = await replica.get()
            assert (answer.freshness, answer.entries) == (FRESHNESS_STALE, first.entries)
            await settle()
        with pytest.raises(DatabaseUnavailable):
            await replica.get(address_of(WEEK))
        with pytest.raises(DatabaseUnavailable):
            await replica.publish(BoardOf({1: 1}), header=header_of(NOON + timedelta(days=1)))
    clock.advance(timedelta(seconds=1))
    await replica.get()
    await settle()
    assert (await replica.get()).freshness == FRESHNESS_FRESH
    assert (await replica.get(address_of(WEEK))).version == 1


async def test_a_walk_goes_on_over_pages_that_are_remembered(
    replicas: Callable[..., Replica], database: Database
) -> None:
    one = replicas()
    await one.publish(BOARD)
    first = await one.get(size=1)
    second = await one.get(size=1, token=first.next_page_token)
    with cut_off(database):
        one.pointers.expire()
        again = await one.get(size=1, token=first.next_page_token)
    assert again.entries == second.entries


async def test_connections_that_the_database_ended_cost_no_reader_an_error(
    replica: Replica, database: Database
) -> None:
    boards = [BoardOf({1: 30}, CONTRIBUTORS._replace(time_period=period)) for period in TimePeriod]
    await replica.publish(*boards)
    addresses = [address_of(board.key) for board in boards]
    # As many connections as the pool holds are open.
    await asyncio.gather(*map(replica.get, addresses))
    with cut_off(database):
        pass
    await replica.shared._redis.flushdb()
    cold = [await replica.get(each, size=1) for each in addresses]
    assert [len(page.entries) for page in cold] == [1] * len(boards)
