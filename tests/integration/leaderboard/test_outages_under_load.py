"""Redis and PostgreSQL cut under readers: no error that the caller could have been spared."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from laurel.leaderboard.v1.leaderboard_pb2 import FRESHNESS_FRESH, FRESHNESS_STALE
from laurel_common.redis import create_redis
from laurel_common.testing.clock import FakeClock
from laurel_leaderboard.domain.boards import BoardKey, TimePeriod
from laurel_leaderboard.domain.pages import Source
from tests.integration.leaderboard.conftest import Replica
from tests.integration.leaderboard.test_database_cut import cut_off
from tests.support.cuttable import CuttableWay, cuttable
from tests.support.database import Database
from tests.support.leaderboard_builders import CONTRIBUTORS, BoardOf, address_of

READERS = 16
BOARDS = [
    BoardOf(
        {number: 10 * number for number in range(1, 8)}, CONTRIBUTORS._replace(time_period=each)
    )
    for each in TimePeriod
]
KEYS = [board.key for board in BOARDS]


@dataclass
class Load:
    """What readers saw."""

    errors: list[str] = field(default_factory=list)
    freshness: set[int] = field(default_factory=set)
    reads: int = 0


@asynccontextmanager
async def load(replica: Replica, keys: list[BoardKey], *, size: int = 0) -> AsyncIterator[Load]:
    """Readers of these boards while inside; each answer must be whole."""
    seen, stopped = Load(), asyncio.Event()

    async def read(number: int) -> None:
        dice = random.Random(number)  # noqa: S311 - a test that can be repeated, no secret
        while not stopped.is_set():
            try:
                page = await replica.get(address_of(dice.choice(keys)), size=size)
            except Exception as error:  # whatever it is, the caller was not spared it
                seen.errors.append(repr(error))
            else:
                assert [entry.entity.id for entry in page.entries] == list(range(7, 0, -1))
                seen.freshness.add(page.freshness)
            seen.reads += 1
            await asyncio.sleep(0)

    readers = [asyncio.create_task(read(number)) for number in range(READERS)]
    yield seen
    stopped.set()
    await asyncio.gather(*readers)


async def pass_time(clock: FakeClock, seen: Load, seconds: float) -> None:
    """The clock goes on under readers, each instant seen by many of them."""
    for _ in range(int(seconds / 0.5)):
        clock.advance(timedelta(seconds=0.5))
        wanted = seen.reads + 2 * READERS
        while seen.reads < wanted:
            await asyncio.sleep(0)


@pytest.fixture
async def way(redis_url: str) -> AsyncIterator[CuttableWay]:
    async with cuttable(redis_url) as found:
        yield found


@pytest.fixture
async def replica(replicas: Callable[..., Replica], way: CuttableWay) -> AsyncIterator[Replica]:
    redis = create_redis(way.url, timeout=5)
    # Room for two pages: most reads go to Redis or PostgreSQL.
    yield replicas(redis=redis, capacity=4_000)
    await redis.aclose()


async def test_readers_notice_nothing_of_redis_going_and_coming_back(
    replica: Replica, way: CuttableWay, clock: FakeClock
) -> None:
    await replica.publish(*BOARDS)
    async with load(replica, KEYS) as seen:
        await pass_time(clock, seen, 2)
        given, asked = replica.statistics.pages.copy(), replica.versions.asked["rows"]
        assert given[Source.REDIS] > 0
        way.cut()
        await pass_time(clock, seen, 4)
        assert replica.statistics.redis_failures > 0
        pages = replica.statistics.pages[Source.POSTGRESQL] - given[Source.POSTGRESQL]
        # Readers of one page at the same time cost one reading: PostgreSQL is not trampled down.
        assert 2 * pages > 3 * (replica.versions.asked["rows"] - asked) > 0
        way.mend()
        await pass_time(clock, seen, 3)
        failures = replica.statistics.redis_failures
        given = replica.statistics.pages.copy()
        await pass_time(clock, seen, 2)
    assert seen.errors == []
    assert seen.freshness == {FRESHNESS_FRESH}
    # Back in use without a restart.
    assert replica.statistics.redis_failures == failures
    from_redis, from_postgresql = (
        replica.statistics.pages[each] - given[each] for each in (Source.REDIS, Source.POSTGRESQL)
    )
    assert from_redis > from_postgresql


async def test_readers_of_known_boards_notice_nothing_of_an_outage_of_postgresql(
    replica: Replica, database: Database, clock: FakeClock
) -> None:
    await replica.publish(*BOARDS)
    for key in KEYS:
        await replica.get(address_of(key))
    async with load(replica, KEYS) as seen:
        await pass_time(clock, seen, 1)
        with cut_off(database):
            # Memory holds some of the pages, Redis all.
            await pass_time(clock, seen, 20)
        assert FRESHNESS_STALE in seen.freshness
        await pass_time(clock, seen, 32)
        seen.freshness.clear()
        await pass_time(clock, seen, 2)
    assert seen.errors == []
    assert seen.freshness == {FRESHNESS_FRESH}


async def test_readers_of_what_memory_holds_outlive_both(
    replicas: Callable[..., Replica], way: CuttableWay, database: Database, clock: FakeClock
) -> None:
    redis = create_redis(way.url, timeout=5)
    replica = replicas(redis=redis)
    await replica.publish(*BOARDS)
    for key in KEYS:
        await replica.get(address_of(key))
    async with load(replica, KEYS) as seen:
        way.cut()
        with cut_off(database):
            await pass_time(clock, seen, 70)
        way.mend()
        await pass_time(clock, seen, 32)
    assert seen.errors == []
    await redis.aclose()
