"""Leaderboard's two services on a port of their own, over a real database and a real Valkey."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from psycopg import sql
from redis.asyncio import Redis

from laurel.leaderboard.v1 import leaderboard_pb2_grpc, materialization_pb2_grpc
from laurel_common.auth.access import Access, AccessResolver
from laurel_common.auth.keys import generate_private_key
from laurel_common.auth.principal import Principal, PrincipalKind
from laurel_common.auth.sessions import SessionResolver
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import DependencyUnavailable, InstallationNotFound, Unauthenticated
from laurel_common.redis import create_redis
from laurel_common.testing.clock import FakeClock
from laurel_common.testing.server import RunningServer, serving
from laurel_leaderboard.bootstrap import Leaderboard, build
from laurel_leaderboard.config import LeaderboardSettings
from laurel_leaderboard.domain.boards import EntityType
from laurel_leaderboard.domain.entries import Profile
from laurel_sessions import IdentitySessions
from tests.support.database import Database
from tests.support.leaderboard_builders import INSTALLATION, NOON, Request, seed_world
from tests.support.leaderboard_coverage import ToldCoverage

# Parents take their children with them.
_WRITTEN = (
    "leaderboard_materializations",
    "leaderboard_boards",
    "published_presets",
    "stale_installations",
    "stale_boards",
)


class KnownProfiles:
    """Everybody is named after their id, until `away`."""

    def __init__(self) -> None:
        self.away = False
        self.suffix = ""

    async def profiles(
        self,
        installation_id: int,
        kind: EntityType,
        ids: Collection[int],
    ) -> Mapping[int, Profile]:
        if self.away:
            raise DependencyUnavailable
        return {id_: Profile(f"{kind}-{id_}{self.suffix}", self.name_of(id_)) for id_ in ids}

    def name_of(self, id_: int) -> str:
        return f"Name {id_}"

    async def find(self, installation_id: int, kind: EntityType, login: str) -> int | None:
        if self.away:
            raise DependencyUnavailable
        known, _, number = login.lower().partition("-")
        return int(number) if known == kind else None


class Users(SessionResolver, AccessResolver):
    """Sessions by token, and what of the usual installation each sees."""

    def __init__(self) -> None:
        self.by_token: dict[str, Access] = {}

    def add(self, access: Access) -> str:
        token = f"{len(self.by_token):064x}"
        self.by_token[token] = access
        return token

    async def resolve(self, token: str) -> Principal:
        if token not in self.by_token:
            raise Unauthenticated
        return Principal(PrincipalKind.USER, "ada", token_id=token, user_id=1)

    async def access(self, session_id: str, installation_id: int, *, require_admin: bool) -> Access:
        if installation_id != INSTALLATION:
            raise InstallationNotFound
        return self.by_token[session_id]


@dataclass
class Service:
    """The running service and what tests move it by."""

    server: RunningServer
    inner: Leaderboard
    clock: FakeClock
    profiles: KnownProfiles
    users: Users
    coverage: ToldCoverage
    redis_url: str
    boards: leaderboard_pb2_grpc.LeaderboardServiceStub
    versions: materialization_pb2_grpc.MaterializationServiceStub
    scoring: materialization_pb2_grpc.MaterializationServiceStub

    async def redis_emptied(self) -> None:
        """Takes away what Redis remembers."""
        async with Redis.from_url(self.redis_url) as client:
            await client.flushdb()

    async def publish(self, *requests: Request) -> object:
        """Sends a publishing stream as scoring does."""
        return await self.scoring.PublishMaterialization(iter(requests))

    def user(self, access: Access) -> leaderboard_pb2_grpc.LeaderboardServiceStub:
        """Boards as a user reads them who sees this much."""
        channel = self.server.channel_with(StaticToken(self.users.add(access)))
        return leaderboard_pb2_grpc.LeaderboardServiceStub(channel)

    def channel(self, kind: PrincipalKind, **options: object) -> grpc.aio.Channel:
        """A channel of another caller."""
        return self.server.channel(kind, **options)  # type: ignore[arg-type]  # passed through


@pytest.fixture
async def service(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with running_service(database, redis_url, tmp_path) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def module_service(
    module_database: Database, module_redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    directory = tmp_path_factory.mktemp("leaderboard")
    async with running_service(module_database, module_redis_url, directory) as running:
        yield running


@pytest.fixture
def emptied_service(module_service: Service, module_database: Database, redis_url: str) -> Service:
    """The module's service without a board, at NOON: for modules of many small tests.

    They name `service` after it, and run on the module's loop.
    """
    with module_database.connect() as connection:
        for table in _WRITTEN:
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    module_service.clock.set(NOON)
    module_service.inner.pointers.expire()
    return module_service


@pytest.fixture
def identity(emptied_service: Service) -> Any:
    """How identity calls it: the versions of boards."""
    channel = emptied_service.channel(PrincipalKind.SERVICE, name="identity")
    return materialization_pb2_grpc.MaterializationServiceStub(channel)


@asynccontextmanager
async def running_service(
    database: Database,
    redis_url: str,
    tmp_path: Path,
    *,
    seed: bool = True,
    identity: IdentitySessions | None = None,
    **changes: object,
) -> AsyncIterator[Service]:
    """The service over an empty database and an empty Valkey, or without `seed` as they are.

    Users are the test's own, or those whom `identity` knows.
    """
    if seed:
        seed_world(database)
    key_file = tmp_path / "leaderboard.key"
    if "key_file" not in changes:
        generate_private_key(key_file)
    settings = LeaderboardSettings.model_validate(
        {
            "database_url": database.url("laurel_leaderboard"),
            "redis_url": redis_url,
            "trust_file": tmp_path / "trust.toml",
            "key_file": key_file,
            **changes,
        }
    )
    clock, profiles, users = FakeClock(NOON), KnownProfiles(), Users()
    coverage = ToldCoverage()
    # More patient than the service's own: a machine that stands still for a moment has not lost it.
    redis = create_redis(redis_url, timeout=10)
    inner = build(
        settings,
        clock=clock,
        redis=redis,
        profiles=profiles,
        logins=profiles,
        coverage=coverage,
    )
    async with serving(
        inner.servicers,
        tmp_path,
        settings=settings,
        health_checks=inner.checks,
        sessions=identity or users,
        access=identity or users,
        recheck_seconds=0.05,
    ) as server:
        backend = server.channel(PrincipalKind.BACKEND)
        operator = server.channel(PrincipalKind.OPERATOR)
        scoring = server.channel(PrincipalKind.SERVICE, name="scoring")
        yield Service(
            server,
            inner,
            clock,
            profiles,
            users,
            coverage,
            redis_url,
            leaderboard_pb2_grpc.LeaderboardServiceStub(backend),
            materialization_pb2_grpc.MaterializationServiceStub(operator),
            materialization_pb2_grpc.MaterializationServiceStub(scoring),
        )
    for close in reversed(inner.closers):
        await close()
    await redis.aclose()
