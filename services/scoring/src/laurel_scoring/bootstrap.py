"""Puts scoring together; every port can be replaced by argument."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel.identity.v1 import directory_pb2, installation_pb2
from laurel.ingest.v1 import signal_pb2
from laurel.leaderboard.v1 import materialization_pb2
from laurel.scoring.v1 import preset_pb2, preset_pb2_grpc, scoring_pb2, scoring_pb2_grpc
from laurel_common.auth.keys import derive_secret, load_private_key
from laurel_common.auth.tokens import TokenSource
from laurel_common.clock import Clock, SystemClock
from laurel_common.db import create_engine
from laurel_common.jobs import JobQueue, Worker
from laurel_common.page_token import PageTokens
from laurel_common.redis import create_redis
from laurel_common.rpc.client import connect_peer
from laurel_common.rpc.health import (
    HealthCheck,
    database_check,
    redis_check,
    schema_check,
    warm_up_check,
)
from laurel_common.rpc.server import RpcServer, Servicer, build_server
from laurel_common.tenant_places import TenantPlaces
from laurel_scoring.application.adopt_installation import AdoptInstallation
from laurel_scoring.application.change_ports import ChangeSource
from laurel_scoring.application.change_presets import ChangePresets
from laurel_scoring.application.explain_range import ExplainRange
from laurel_scoring.application.explain_score import ExplainScore
from laurel_scoring.application.explained import LookUp
from laurel_scoring.application.inputs import ReadInputs
from laurel_scoring.application.ports import Boards, Directory, PresetStore
from laurel_scoring.application.preview_rules import PreviewRules
from laurel_scoring.application.range_results import RangeResults
from laurel_scoring.application.ranges import ReadRange
from laurel_scoring.application.read_presets import GetPreset, ListPresets
from laurel_scoring.application.recheck_boards import CRON, RecheckBoards
from laurel_scoring.application.remembered_signals import RememberedSignals
from laurel_scoring.application.score_installation import ScoreInstallation
from laurel_scoring.application.score_range import ScoreRange
from laurel_scoring.application.start_scoring import StartScoring
from laurel_scoring.application.tell_readers import TellReaders
from laurel_scoring.application.watch_scoring import WatchScoring
from laurel_scoring.clients.identity import IdentityDirectory
from laurel_scoring.clients.ingest import IngestSignals
from laurel_scoring.clients.leaderboard import LeaderboardBoards
from laurel_scoring.config import ScoringSettings
from laurel_scoring.rpc.presets import PresetServicer
from laurel_scoring.rpc.scoring import ScoringServicer
from laurel_scoring.storage.adoptions import PresetAdoptions
from laurel_scoring.storage.preset_changes import PresetChangeTables
from laurel_scoring.storage.presets import PresetTables
from laurel_scoring.storage.queue import LANE
from laurel_scoring.storage.runs import RunTable
from laurel_scoring.warm_up import warm_up
from laurel_sessions import connect_sessions

Closer = Callable[[], Awaitable[object]]


@dataclass(slots=True)
class Scoring:
    """The service without its server."""

    servicers: list[Servicer]
    checks: list[HealthCheck]
    closers: list[Closer]
    worker: Worker
    score: ScoreInstallation
    runs: RunTable
    ready: Callable[[], Awaitable[object]]


def build(
    settings: ScoringSettings,
    *,
    clock: Clock | None = None,
    engine: AsyncEngine | None = None,
    presets: PresetStore | None = None,
    signals: ChangeSource | None = None,
    directory: Directory | None = None,
    boards: Boards | None = None,
) -> Scoring:
    """Builds everything below the server. Called within the running loop."""
    clock = clock or SystemClock()
    key = load_private_key(settings.key_file)
    tokens = TokenSource("scoring", key, clock=clock)
    closers: list[Closer] = []
    if engine is None:
        engine = create_engine(
            settings.database_url,
            application_name="laurel-scoring",
            pool_size=settings.database_pool_size,
        )
        closers.append(engine.dispose)
    redis = create_redis(settings.redis_url)
    closers.append(redis.aclose)
    peers = _Peers(settings, tokens, closers)
    queue = JobQueue(settings.database_url, LANE, pool_size=settings.scoring_concurrency + 3)
    boards = boards or peers.boards()
    runs = RunTable(engine, queue, TellReaders(boards))
    presets = presets or PresetTables(engine)
    signals = signals or peers.signals()
    directory = directory or peers.directory()
    inputs = ReadInputs(signals, directory)
    remembered = RememberedSignals(signals, limit_bytes=settings.scoring_memory_mb * 2**20)
    read_range = ReadRange(presets, signals, directory)
    look_up = LookUp(signals, directory)
    places = TenantPlaces(
        each=settings.costly_reads_per_installation, together=settings.costly_reads
    )
    page_tokens = PageTokens(derive_secret(key, "page tokens"))
    score_range = ScoreRange(
        read=read_range,
        directory=directory,
        results=RangeResults(settings.range_cache_bytes),
        places=places,
        tokens=page_tokens,
    )
    closers.append(score_range.close)
    score = ScoreInstallation(
        presets=presets,
        runs=runs,
        inputs=ReadInputs(remembered, directory),
        boards=boards,
        clock=clock,
    )
    queue.register(score)
    queue.every(CRON, RecheckBoards(runs, clock))
    worker = Worker(queue, runs, concurrency=settings.scoring_concurrency)
    closers.append(worker.stop)
    watch = WatchScoring(runs)
    closers.append(watch.close)
    ready = once(lambda: asyncio.to_thread(warm_up))
    return Scoring(
        servicers=[
            (
                preset_pb2_grpc.add_PresetServiceServicer_to_server,
                PresetServicer(
                    GetPreset(presets),
                    ListPresets(presets, page_tokens),
                    ChangePresets(presets, PresetChangeTables(engine, runs), clock),
                    AdoptInstallation(PresetAdoptions(engine, runs), clock),
                ),
                preset_pb2.DESCRIPTOR.services_by_name["PresetService"],
            ),
            (
                scoring_pb2_grpc.add_ScoringServiceServicer_to_server,
                ScoringServicer(
                    StartScoring(presets, runs, clock),
                    runs,
                    watch,
                    explain=ExplainScore(
                        boards=boards,
                        runs=runs,
                        inputs=inputs,
                        look_up=look_up,
                        places=places,
                        clock=clock,
                    ),
                    explain_range=ExplainRange(read=read_range, look_up=look_up, places=places),
                    score_range=score_range,
                    preview=PreviewRules(
                        presets=presets,
                        read=read_range,
                        directory=directory,
                        places=places,
                        clock=clock,
                    ),
                    web_url=str(settings.github_web_url),
                ),
                scoring_pb2.DESCRIPTOR.services_by_name["ScoringService"],
            ),
        ],
        checks=[
            database_check(engine),
            schema_check(engine),
            redis_check(redis),
            warm_up_check(ready),
        ],
        closers=closers,
        worker=worker,
        score=score,
        runs=runs,
        ready=ready,
    )


class _Peers:
    """Clients of the other services, connected when asked for."""

    def __init__(
        self, settings: ScoringSettings, tokens: TokenSource, closers: list[Closer]
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._closers = closers

    def signals(self) -> ChangeSource:
        """Ingest."""
        service = signal_pb2.DESCRIPTOR.services_by_name["SignalService"]
        return IngestSignals(self._connect("ingest", service))

    def directory(self) -> Directory:
        """Identity."""
        return IdentityDirectory(
            self._connect(
                "identity",
                directory_pb2.DESCRIPTOR.services_by_name["DirectoryService"],
                installation_pb2.DESCRIPTOR.services_by_name["InstallationService"],
            )
        )

    def boards(self) -> Boards:
        """Leaderboard."""
        service = materialization_pb2.DESCRIPTOR.services_by_name["MaterializationService"]
        return LeaderboardBoards(self._connect("leaderboard", service))

    def _connect(self, peer: str, *services: ServiceDescriptor) -> grpc.aio.Channel:
        channel = connect_peer(self._settings, peer, tokens=self._tokens, services=services)
        self._closers.append(channel.close)
        return channel


def once(work: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
    """`work` for everybody who asks, done a single time; again only after it failed."""
    task: asyncio.Future[object] | None = None

    async def shared() -> object:
        nonlocal task
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = asyncio.ensure_future(work())
        return await asyncio.shield(task)

    return shared


async def bootstrap(
    settings: ScoringSettings,
    *,
    clock: Clock | None = None,
    engine: AsyncEngine | None = None,
    presets: PresetStore | None = None,
    signals: ChangeSource | None = None,
    directory: Directory | None = None,
    boards: Boards | None = None,
) -> RpcServer:
    """The server, ready to start, its worker waiting for the engine to be compiled."""
    service = build(
        settings,
        clock=clock,
        engine=engine,
        presets=presets,
        signals=signals,
        directory=directory,
        boards=boards,
    )
    sessions = connect_sessions(settings)
    server = build_server(
        settings,
        service.servicers,
        health_checks=service.checks,
        sessions=sessions.users,
        access=sessions.users,
        closers=[*service.closers, sessions.close],
        clock=clock,
    )
    service.worker.start(service.ready)
    return server
