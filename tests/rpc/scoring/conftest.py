"""Scoring on a port of its own: real PostgreSQL and Valkey, the other services scripted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio

from laurel.common.v1 import board_pb2
from laurel.scoring.v1 import (
    explanation_pb2,
    preset_pb2_grpc,
    scoring_pb2,
    scoring_pb2_grpc,
)
from laurel_common.auth.access import Access, AccessResolver
from laurel_common.auth.keys import generate_private_key
from laurel_common.auth.principal import Principal, PrincipalKind
from laurel_common.auth.sessions import SessionResolver
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import CallerNotAllowed
from laurel_common.testing.clock import FakeClock
from laurel_common.testing.server import RunningServer, serving
from laurel_scoring.bootstrap import Scoring, build
from laurel_scoring.config import ScoringSettings
from laurel_scoring.storage.runs import RunTable
from tests.support.database import Database
from tests.support.scoring_builders import AS_OF
from tests.support.scoring_database import an_installation
from tests.support.scoring_peers import Peers, serving_peers

OPEN = (scoring_pb2.SCORING_STATE_QUEUED, scoring_pb2.SCORING_STATE_RUNNING)


@dataclass
class Service:
    """The running service and what tests move it by."""

    server: RunningServer
    inner: Scoring
    peers: Peers
    clock: FakeClock
    database: Database
    installation: int
    presets: preset_pb2_grpc.PresetServiceStub
    scoring: scoring_pb2_grpc.ScoringServiceStub

    @property
    def runs(self) -> RunTable:
        """The service's runs."""
        return self.inner.runs

    def channel(self, kind: PrincipalKind, **options: object) -> grpc.aio.Channel:
        """A channel of another caller."""
        return self.server.channel(kind, **options)  # type: ignore[arg-type]  # passed through

    async def start(self, request_id: str = "") -> scoring_pb2.Scoring:
        """Asks for a run."""
        response = await self.scoring.StartScoring(
            scoring_pb2.StartScoringRequest(
                installation_id=self.installation, request_id=request_id
            )
        )
        return response.scoring

    async def get(self, scoring_id: int) -> scoring_pb2.Scoring:
        """How a run is doing."""
        response = await self.scoring.GetScoring(
            scoring_pb2.GetScoringRequest(installation_id=self.installation, scoring_id=scoring_id)
        )
        return response.scoring

    async def ended(self, scoring_id: int) -> scoring_pb2.Scoring:
        """The run once it is neither queued nor running."""
        async with asyncio.timeout(20):
            while (run := await self.get(scoring_id)).state in OPEN:
                await asyncio.sleep(0.02)
        return run

    async def score(self) -> scoring_pb2.Scoring:
        """A whole run, a microsecond after the last."""
        self.clock.advance(timedelta(microseconds=1))
        return await self.ended((await self.start()).id)

    def board(self, scope: int = 1, scope_id: int = 0, entity: int = 1) -> board_pb2.Board:
        """A board of all time; the organization's contributors unless told."""
        return board_pb2.Board(
            installation_id=self.installation,
            scope_type=scope,  # type: ignore[arg-type]  # the wire's number
            scope_id=scope_id,
            entity_type=entity,  # type: ignore[arg-type]  # the wire's number
            time_period=6,  # type: ignore[arg-type]  # the wire's number
        )

    async def explain(
        self, entity_id: int, board: board_pb2.Board | None = None, version: int = 0
    ) -> tuple[explanation_pb2.ExplainScoreHeader, list[explanation_pb2.LedgerLine]]:
        """The header and all lines."""
        header = explanation_pb2.ExplainScoreHeader()
        lines: list[explanation_pb2.LedgerLine] = []
        async for response in self.scoring.ExplainScore(
            explanation_pb2.ExplainScoreRequest(
                board=board or self.board(), entity_id=entity_id, version=version
            )
        ):
            if response.HasField("header"):
                header = response.header
            lines.extend(response.lines.lines)
        return header, lines


class Someone(SessionResolver, AccessResolver):
    """A user's session, and what the user may see."""

    TOKEN = "a" * 64

    def __init__(self) -> None:
        self.seen = Access.full()
        self.is_admin = False

    async def resolve(self, token: str) -> Principal:
        assert token == self.TOKEN
        return Principal(PrincipalKind.USER, "ada", token_id="b" * 64, user_id=1)

    async def access(self, session_id: str, installation_id: int, *, require_admin: bool) -> Access:
        if require_admin and not self.is_admin:
            raise CallerNotAllowed
        return self.seen


@dataclass
class Shared:
    """A service that several tests share, and the user who calls it."""

    service: Service
    someone: Someone

    @property
    def users(self) -> scoring_pb2_grpc.ScoringServiceStub:
        """The service as the user calls it."""
        channel = self.service.server.channel_with(StaticToken(Someone.TOKEN))
        return scoring_pb2_grpc.ScoringServiceStub(channel)


@pytest.fixture
async def peers() -> AsyncIterator[Peers]:
    async with serving_peers() as peers:
        yield peers


@asynccontextmanager
async def running_service(
    database: Database, redis_url: str, directory: Path, peers: Peers, **options: Any
) -> AsyncIterator[Service]:
    """The service with an installation of its own; `options` are settings, and build_server's
    `sessions` and `access`.
    """
    installation = an_installation(database)
    key_file = directory / "scoring.key"
    generate_private_key(key_file)
    users = {name: options.pop(name) for name in ("sessions", "access") if name in options}
    settings = ScoringSettings.model_validate(
        {
            "database_url": database.url("laurel_scoring"),
            "redis_url": redis_url,
            "trust_file": directory / "trust.toml",
            "key_file": key_file,
            "identity_target": peers.target,
            "ingest_target": peers.target,
            "leaderboard_target": peers.target,
            "watcher_patience_seconds": 0.5,
            **options,
        }
    )
    clock = FakeClock(AS_OF)
    inner = build(settings, clock=clock)
    await inner.ready()
    async with serving(
        inner.servicers,
        directory,
        settings=settings,
        health_checks=inner.checks,
        closers=inner.closers,
        **users,
    ) as server:
        inner.worker.start(inner.ready)
        operator = server.channel(PrincipalKind.OPERATOR)
        yield Service(
            server,
            inner,
            peers,
            clock,
            database,
            installation,
            preset_pb2_grpc.PresetServiceStub(operator),
            scoring_pb2_grpc.ScoringServiceStub(operator),
        )


@pytest.fixture
async def service(
    database: Database, redis_url: str, tmp_path: Path, peers: Peers
) -> AsyncIterator[Service]:
    async with running_service(database, redis_url, tmp_path, peers) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(
    module_database: Database,
    module_redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Shared]:
    """One service for a module's tests, and a user whose access they choose."""
    someone = Someone()
    directory = tmp_path_factory.mktemp("scoring")
    async with (
        serving_peers() as peers,
        running_service(
            module_database, module_redis_url, directory, peers, sessions=someone, access=someone
        ) as service,
    ):
        yield Shared(service, someone)
