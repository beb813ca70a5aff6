"""Leaderboard's storage and readers on a real database and a real Valkey."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel.leaderboard.v1.leaderboard_pb2 import GetLeaderboardResponse
from laurel_common.db import create_engine
from laurel_common.errors import DatabaseUnavailable
from laurel_common.page_token import PageTokens
from laurel_common.redis import create_redis
from laurel_common.testing.clock import FakeClock
from laurel_leaderboard.application.entry_builder import EntryBuilder
from laurel_leaderboard.application.get_leaderboard import GetLeaderboard
from laurel_leaderboard.application.mark_stale import MarkStale
from laurel_leaderboard.application.masked_pages import MaskedPages
from laurel_leaderboard.application.page_cache import PageCache
from laurel_leaderboard.application.pages import Pages
from laurel_leaderboard.application.pointers import Pointers
from laurel_leaderboard.application.publish_materialization import (
    Commit,
    Message,
    OpenGroup,
    Outcome,
    PublishMaterialization,
    Rows,
)
from laurel_leaderboard.application.scope_coverage import ScopeCoverage
from laurel_leaderboard.application.statistics import ReadStatistics
from laurel_leaderboard.domain.boards import BoardAddress, EntityType
from laurel_leaderboard.domain.entries import Position, Profile, ScoreRow
from laurel_leaderboard.domain.freshness import Cause
from laurel_leaderboard.domain.versions import PublishHeader, Version
from laurel_leaderboard.rpc.codec import ProtobufCodec
from laurel_leaderboard.storage.history import PostgresHistory
from laurel_leaderboard.storage.publications import PostgresPublications
from laurel_leaderboard.storage.redis_cache import RedisCache
from laurel_leaderboard.storage.stale_marks import PostgresStaleMarks
from laurel_leaderboard.storage.versions import PostgresVersions
from tests.support.database import Database
from tests.support.leaderboard_builders import (
    INSTALLATION,
    NOON,
    BoardOf,
    address_of,
    batch_of,
    header_of,
    ipc,
    seed_world,
)
from tests.support.leaderboard_coverage import ToldCoverage

RETENTION = timedelta(hours=24)


class WatchedVersions(PostgresVersions):
    """Counts what is asked of PostgreSQL; `cut` takes it away, `gate` holds answers back."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.asked: Counter[str] = Counter()
        self.cut = False
        self.gate: asyncio.Event | None = None

    async def _pass(self, name: str) -> None:
        self.asked[name] += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.cut:
            raise DatabaseUnavailable

    async def current(self, address: BoardAddress) -> Version | None:
        await self._pass("current")
        return await super().current(address)

    async def rows(self, version: Version, after: Position | None, limit: int) -> list[ScoreRow]:
        await self._pass("rows")
        return await super().rows(version, after, limit)


class Nameless:
    """Knows nobody."""

    async def profiles(
        self,
        installation_id: int,
        kind: EntityType,
        ids: Collection[int],
    ) -> Mapping[int, Profile]:
        return {}


class Told:
    """Notices that reach the replicas of a test at once, unless `deaf`."""

    def __init__(self) -> None:
        self.replicas: list[Pointers] = []
        self.deaf = False

    async def announce(self, installation_id: int) -> None:
        for pointers in [] if self.deaf else self.replicas:
            pointers.expire(installation_id)


class Replica:
    """One process of leaderboard, without its server."""

    def __init__(
        self, engine: AsyncEngine, redis: Redis, clock: FakeClock, notices: Told, **options: Any
    ) -> None:
        codec, tokens = ProtobufCodec(), PageTokens(bytes(32))
        self.statistics = ReadStatistics()
        self.versions = WatchedVersions(engine)
        self.shared = RedisCache(redis, clock, self.statistics)
        self.pointers = Pointers(self.versions, self.shared, codec, clock, limit=100)
        cache = PageCache(options.get("capacity", 1_000_000))
        self.pages = Pages(
            versions=self.versions,
            builder=EntryBuilder(
                options.get("profiles", Nameless()), PostgresHistory(engine), clock
            ),
            shared=self.shared,
            codec=codec,
            tokens=tokens,
            cache=cache,
            clock=clock,
        )
        self._get = GetLeaderboard(
            pointers=self.pointers,
            pages=self.pages,
            tokens=tokens,
            codec=codec,
            masked=MaskedPages(cache, codec),
            coverage=ScopeCoverage(ToldCoverage(), clock, limit=100),
            clock=clock,
            statistics=self.statistics,
        )
        self._publish = PublishMaterialization(
            publications=PostgresPublications(engine, retention=RETENTION),
            versions=self.versions,
            marks=PostgresStaleMarks(engine),
            shared=self.shared,
            notices=notices,
            clock=clock,
        )
        self._mark = MarkStale(
            PostgresStaleMarks(engine), self.versions, self.shared, notices, clock
        )
        notices.replicas.append(self.pointers)

    async def get(
        self, address: BoardAddress | None = None, size: int = 0, token: str = ""
    ) -> GetLeaderboardResponse:
        """A page, as a caller would parse it."""
        data = await self._get(address or address_of(), size, token)
        return GetLeaderboardResponse.FromString(data)

    async def publish(
        self,
        *boards: BoardOf,
        header: PublishHeader | None = None,
        rows: tuple[BoardOf, ...] = (),
        commits: bool = True,
    ) -> Outcome:
        """Publishes one group; `rows` are sent in the place of its own, without `commits` none."""
        return await self._publish(
            _messages(header or header_of(), boards, rows or boards, commits)
        )

    async def mark(self) -> int:
        """Marks all boards."""
        return await self._mark(INSTALLATION, [], Cause.SIGNALS)

    async def close(self) -> None:
        await self.pointers.close()
        await self.pages.close()


async def _messages(
    header: PublishHeader, boards: tuple[BoardOf, ...], rows: tuple[BoardOf, ...], commits: bool
) -> AsyncIterator[Message]:
    yield header
    yield OpenGroup(tuple(board.new() for board in boards))
    yield Rows(ipc(batch_of(*rows)))
    if commits:
        yield Commit()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def notices() -> Told:
    return Told()


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    seed_world(database)
    made = create_engine(database.url("laurel_leaderboard"), application_name="test", pool_size=6)
    yield made
    await made.dispose()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = create_redis(redis_url, timeout=5)
    yield client
    await client.aclose()


@pytest.fixture
async def replicas(
    engine: AsyncEngine, redis: Redis, clock: FakeClock, notices: Told
) -> AsyncIterator[Callable[..., Replica]]:
    """Makes replicas over the same database and Valkey."""
    made: list[Replica] = []

    def make(**options: Any) -> Replica:
        made.append(Replica(engine, options.pop("redis", redis), clock, notices, **options))
        return made[-1]

    yield make
    for replica in made:
        await replica.close()


@pytest.fixture
def replica(replicas: Callable[..., Replica]) -> Replica:
    return replicas()
