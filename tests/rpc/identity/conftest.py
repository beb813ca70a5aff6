"""Identity over a real database, behind the whole chain, called through stubs."""

import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from laurel.identity.v1 import directory_pb2_grpc, installation_pb2_grpc
from laurel_common.auth.keys import generate_private_key
from laurel_common.auth.principal import PrincipalKind
from laurel_common.db.engine import create_engine
from laurel_common.redis import create_redis
from laurel_common.testing.clock import FakeClock
from laurel_common.testing.server import RunningServer, serving
from laurel_identity.application.claim_identity import Authors
from laurel_identity.application.installation_ports import TeamForgetter
from laurel_identity.application.work_ports import HistoryMover, StartScoring
from laurel_identity.bootstrap import Identity as Built
from laurel_identity.bootstrap import build
from laurel_identity.config import IdentitySettings
from tests.support.database import Database
from tests.support.github import GitHubSimulator


@dataclass(frozen=True)
class Identity:
    """A running identity; `ingest` and `operator` are stubs of those callers."""

    server: RunningServer
    ingest: directory_pb2_grpc.DirectoryServiceStub
    operator: directory_pb2_grpc.DirectoryServiceStub
    installations: installation_pb2_grpc.InstallationServiceStub
    clock: FakeClock
    built: Built

    def forget(self) -> None:
        """Makes identity look everything about sessions up again."""
        self.built.sessions.kept.forget(None)

    async def flush(self) -> None:
        """Writes to Redis what identity keeps there for hard times."""
        await self.built.sessions.recent.flush()

    async def revoke(self, session_ids: list[str]) -> None:
        """Tells everybody that these sessions are over."""
        await self.built.sessions.recent.revoke(session_ids)
        self.built.sessions.kept.forget(session_ids)

    def directory(self, channel: grpc.aio.Channel) -> directory_pb2_grpc.DirectoryServiceStub:
        """The directory as seen through a channel."""
        return directory_pb2_grpc.DirectoryServiceStub(channel)

    def tenants(self, channel: grpc.aio.Channel) -> installation_pb2_grpc.InstallationServiceStub:
        """The installations as seen through a channel."""
        return installation_pb2_grpc.InstallationServiceStub(channel)


@pytest.fixture
async def identity(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Identity]:
    """Identity as its own role of a database of the test's own."""
    async with running_identity(database, redis_url, tmp_path) as identity:
        yield identity


@pytest.fixture
async def shared_identity(
    module_database: Database, redis_url: str, tmp_path: Path
) -> AsyncIterator[Identity]:
    """Identity on the module's database, for tests that only read or write the same."""
    async with running_identity(module_database, redis_url, tmp_path) as identity:
        yield identity


@asynccontextmanager
async def running_identity(
    database: Database,
    redis_url: str,
    directory: Path,
    *,
    github: GitHubSimulator | None = None,
    clock: FakeClock | None = None,
    forget_team: TeamForgetter | None = None,
    history: HistoryMover | None = None,
    start_scoring: StartScoring | None = None,
    authors: Authors | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    **settings: Any,
) -> AsyncIterator[Identity]:
    """Serves identity over a database; `directory` receives the callers' keys."""
    engine = create_engine(database.url("laurel_identity"), application_name="test", pool_size=4)
    clock = clock or FakeClock()
    # More patient than the service's own: a machine that stands still for a moment has not lost it.
    redis = create_redis(redis_url, timeout=10)
    told = settings if github is None else github.settings() | settings
    built = build(
        settings_of(directory, **told),
        engine=engine,
        redis=redis,
        clock=clock,
        forget_team=forget_team,
        history=history,
        start_scoring=start_scoring,
        authors=authors,
        monotonic=monotonic,
    )
    try:
        async with serving(
            built.servicers,
            directory,
            health_checks=built.checks,
            sessions=built.sessions.users,
            access=built.sessions.users,
        ) as server:
            service = server.channel(PrincipalKind.SERVICE, name="ingest")
            operator = server.channel(PrincipalKind.OPERATOR)
            yield Identity(
                server,
                directory_pb2_grpc.DirectoryServiceStub(service),
                directory_pb2_grpc.DirectoryServiceStub(operator),
                installation_pb2_grpc.InstallationServiceStub(operator),
                clock,
                built,
            )
    finally:
        for close in built.closers:
            await close()
        await redis.aclose()
        await engine.dispose()


def settings_of(directory: Path, **changes: Any) -> IdentitySettings:
    """Settings that name no servers, and a key in `directory`; with `changes`."""
    key_file = directory / "identity.key"
    if not key_file.exists():
        generate_private_key(key_file)
    values = {
        "database_url": "postgresql://nobody@localhost:1/none",
        "redis_url": "redis://localhost:1",
        "trust_file": directory / "trust.toml",
        "key_file": key_file,
        "token_keys": secrets.token_hex(32),
        # A machine that stands still for a moment has lost neither.
        "database_patience_seconds": 10,
        "github_patience_seconds": 10,
    }
    return IdentitySettings.model_validate(values | changes)
