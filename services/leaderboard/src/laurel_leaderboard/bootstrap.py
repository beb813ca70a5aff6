"""Puts leaderboard together; every port can be replaced by argument."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import grpc
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel.identity.v1 import directory_pb2
from laurel.ingest.v1 import ingest_pb2
from laurel.leaderboard.v1 import (
    leaderboard_pb2,
    leaderboard_pb2_grpc,
    materialization_pb2,
    materialization_pb2_grpc,
)
from laurel_common.auth.keys import derive_secret, load_private_key
from laurel_common.auth.tokens import TokenSource
from laurel_common.clock import Clock, SystemClock
from laurel_common.db import create_engine
from laurel_common.page_token import PageTokens
from laurel_common.redis import create_redis
from laurel_common.rpc.client import connect_peer
from laurel_common.rpc.health import HealthCheck, database_check, redis_check, schema_check
from laurel_common.rpc.server import RpcServer, Servicer, build_server
from laurel_common.tenant_places import TenantPlaces
from laurel_leaderboard.application.adopt_installation import AdoptInstallation
from laurel_leaderboard.application.entry_builder import EntryBuilder
from laurel_leaderboard.application.forget_installation import ForgetInstallation
from laurel_leaderboard.application.forget_repository import ForgetRepository
from laurel_leaderboard.application.forget_team import ForgetTeam
from laurel_leaderboard.application.keep_history import KeepHistory
from laurel_leaderboard.application.list_materializations import ListMaterializations
from laurel_leaderboard.application.mark_stale import MarkStale
from laurel_leaderboard.application.masked_pages import MaskedPages
from laurel_leaderboard.application.page_cache import PageCache
from laurel_leaderboard.application.pointers import Pointers
from laurel_leaderboard.application.ports import (
    Comparisons,
    Exports,
    History,
    Logins,
    Notices,
    Profiles,
    Publications,
    Retention,
    SharedCache,
    StaleMarks,
    Versions,
)
from laurel_leaderboard.application.publish_materialization import PublishMaterialization
from laurel_leaderboard.application.purge_superseded import PurgeSuperseded
from laurel_leaderboard.application.retire_versions import RetireVersions
from laurel_leaderboard.application.scope_coverage import CoverageSource
from laurel_leaderboard.application.statistics import ReadStatistics
from laurel_leaderboard.application.watch_leaderboard import WatchLeaderboard
from laurel_leaderboard.clients.identity import IdentityLogins, IdentityProfiles
from laurel_leaderboard.clients.ingest import IngestCoverage
from laurel_leaderboard.config import LeaderboardSettings
from laurel_leaderboard.reading import (
    EXPORTS_EACH,
    EXPORTS_TOGETHER,
    Closer,
    Shared,
    board_use_cases,
    coverage_of,
    pages_of,
    pointers_of,
    watch_of,
)
from laurel_leaderboard.rpc.codec import ProtobufCodec
from laurel_leaderboard.rpc.leaderboard import BoardUseCases, LeaderboardServicer
from laurel_leaderboard.rpc.materialization import MaterializationServicer, VersionUseCases
from laurel_leaderboard.storage.adoptions import PostgresAdoptions
from laurel_leaderboard.storage.comparisons import PostgresComparisons
from laurel_leaderboard.storage.erasures import PostgresErasures
from laurel_leaderboard.storage.exports import PostgresExports
from laurel_leaderboard.storage.history import PostgresHistory
from laurel_leaderboard.storage.history_writing import PostgresDayKeeper
from laurel_leaderboard.storage.notices import PostgresNotices
from laurel_leaderboard.storage.publications import PostgresPublications
from laurel_leaderboard.storage.redis_cache import RedisCache
from laurel_leaderboard.storage.repository_forgetting import PostgresRepositoryForgetting
from laurel_leaderboard.storage.retention import PostgresRetention
from laurel_leaderboard.storage.stale_marks import PostgresStaleMarks
from laurel_leaderboard.storage.team_forgetting import PostgresTeamForgetting
from laurel_leaderboard.storage.versions import PostgresVersions
from laurel_leaderboard.telemetry import LeaderboardMetrics
from laurel_sessions import connect_sessions

# A cache that takes longer than this is no faster than PostgreSQL.
REDIS_TIMEOUT_SECONDS = 0.1

Loop = Callable[[], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class Leaderboard:
    """The service without its server: what tests and the server have in common."""

    servicers: list[Servicer]
    checks: list[HealthCheck]
    closers: list[Closer]
    metrics: LeaderboardMetrics
    retire: RetireVersions
    pointers: Pointers
    export_places: TenantPlaces
    watch: WatchLeaderboard
    # What runs for as long as the service does.
    loops: list[Loop]


def build(
    settings: LeaderboardSettings,
    *,
    clock: Clock | None = None,
    engine: AsyncEngine | None = None,
    redis: Redis | None = None,
    versions: Versions | None = None,
    history: History | None = None,
    comparisons: Comparisons | None = None,
    exports: Exports | None = None,
    publications: Publications | None = None,
    marks: StaleMarks | None = None,
    shared: SharedCache | None = None,
    profiles: Profiles | None = None,
    logins: Logins | None = None,
    notices: Notices | None = None,
    coverage: CoverageSource | None = None,
) -> Leaderboard:
    """Builds everything below the server. Called within the running loop."""
    clock = clock or SystemClock()
    key = load_private_key(settings.key_file)
    closers: list[Closer] = []
    engine = engine or _engine(settings, closers)
    redis = redis or _redis(settings, closers)
    credentials = TokenSource("leaderboard", key, clock=clock)
    if profiles is None or logins is None:
        channel = _identity(settings, credentials, closers)
        profiles = profiles or IdentityProfiles(channel)
        logins = logins or IdentityLogins(channel)
    coverage = coverage or IngestCoverage(_ingest(settings, credentials, closers))
    history = history or PostgresHistory(engine)
    statistics = ReadStatistics()
    common = Shared(
        clock=clock,
        codec=ProtobufCodec(),
        tokens=PageTokens(derive_secret(key, "page tokens")),
        versions=versions or PostgresVersions(engine),
        shared=shared or RedisCache(redis, clock, statistics),
        statistics=statistics,
        history=history,
        comparisons=comparisons or PostgresComparisons(engine),
        exports=exports or PostgresExports(engine),
        builder=EntryBuilder(profiles, history, clock),
        export_places=TenantPlaces(each=EXPORTS_EACH, together=EXPORTS_TOGETHER),
    )
    cache = PageCache(settings.page_cache_bytes)
    pointers = pointers_of(settings, common, closers)
    retention = PostgresRetention(engine)
    keep = KeepHistory(
        PostgresDayKeeper(engine), clock, delay=timedelta(seconds=settings.history_delay_seconds)
    )
    retire = _retire(settings, retention, keep, clock)
    watch = watch_of(settings, common, pointers)
    loops: list[Loop] = [retire.run]

    def heard(installation_id: int | None) -> None:
        # Whoever is woken asks for a pointer that holds.
        pointers.expire(installation_id)
        watch.wake(installation_id)

    if notices is None:
        postgres = PostgresNotices(engine, settings.database_url, heard)
        loops.append(postgres.listen)
        notices = postgres
    marks = marks or PostgresStaleMarks(engine)
    publish = PublishMaterialization(
        publications=publications
        or PostgresPublications(engine, retention=timedelta(hours=settings.retention_hours)),
        versions=common.versions,
        marks=marks,
        shared=common.shared,
        notices=notices,
        clock=clock,
    )
    return Leaderboard(
        servicers=[
            _reading(
                board_use_cases(
                    common,
                    pointers,
                    pages_of(common, cache, closers),
                    MaskedPages(cache, common.codec),
                    coverage=coverage_of(settings, coverage, clock, closers),
                    logins=logins,
                    watch=watch,
                )
            ),
            _writing(
                VersionUseCases(
                    publish=publish,
                    list_materializations=ListMaterializations(common.versions, common.tokens),
                    mark_stale=MarkStale(marks, common.versions, common.shared, notices, clock),
                    purge_superseded=PurgeSuperseded(retention, keep, clock),
                    forget_team=ForgetTeam(
                        teams=PostgresTeamForgetting(engine),
                        versions=common.versions,
                        marks=marks,
                        shared=common.shared,
                        notices=notices,
                        clock=clock,
                    ),
                    adopt_installation=AdoptInstallation(
                        PostgresAdoptions(engine), common.shared, notices, clock
                    ),
                    forget_installation=ForgetInstallation(
                        PostgresErasures(engine), common.shared, notices
                    ),
                    forget_repository=ForgetRepository(
                        PostgresRepositoryForgetting(engine), common.shared, notices
                    ),
                )
            ),
        ],
        checks=_checks(engine, redis),
        closers=closers,
        metrics=LeaderboardMetrics(statistics, cache),
        retire=retire,
        pointers=pointers,
        export_places=common.export_places,
        watch=watch,
        loops=loops,
    )


def _engine(settings: LeaderboardSettings, closers: list[Closer]) -> AsyncEngine:
    engine = create_engine(
        settings.database_url,
        application_name="laurel-leaderboard",
        pool_size=settings.database_pool_size,
    )
    closers.append(engine.dispose)
    return engine


def _redis(settings: LeaderboardSettings, closers: list[Closer]) -> Redis:
    # A connection for every call that is let in: running out would pass for an absence.
    redis = create_redis(
        settings.redis_url,
        timeout=REDIS_TIMEOUT_SECONDS,
        max_connections=2 * settings.max_concurrent_calls,
    )
    closers.append(redis.aclose)
    return redis


def _identity(
    settings: LeaderboardSettings, tokens: TokenSource, closers: list[Closer]
) -> grpc.aio.Channel:
    directory = directory_pb2.DESCRIPTOR.services_by_name["DirectoryService"]
    channel = connect_peer(settings, "identity", tokens=tokens, services=[directory])
    closers.append(channel.close)
    return channel


def _ingest(
    settings: LeaderboardSettings, tokens: TokenSource, closers: list[Closer]
) -> grpc.aio.Channel:
    runs = ingest_pb2.DESCRIPTOR.services_by_name["IngestService"]
    channel = connect_peer(settings, "ingest", tokens=tokens, services=[runs])
    closers.append(channel.close)
    return channel


def _retire(
    settings: LeaderboardSettings, retention: Retention, keep: KeepHistory, clock: Clock
) -> RetireVersions:
    return RetireVersions(
        retention,
        keep,
        clock,
        interval=timedelta(seconds=settings.retention_interval_seconds),
        purge_delay=timedelta(seconds=settings.purge_delay_seconds),
    )


def _reading(cases: BoardUseCases) -> Servicer:
    return (
        leaderboard_pb2_grpc.add_LeaderboardServiceServicer_to_server,
        LeaderboardServicer(cases),
        leaderboard_pb2.DESCRIPTOR.services_by_name["LeaderboardService"],
    )


def _writing(cases: VersionUseCases) -> Servicer:
    return (
        materialization_pb2_grpc.add_MaterializationServiceServicer_to_server,
        MaterializationServicer(cases),
        materialization_pb2.DESCRIPTOR.services_by_name["MaterializationService"],
    )


def _checks(engine: AsyncEngine, redis: Redis) -> list[HealthCheck]:
    """Needed to start; later, boards in memory outlive PostgreSQL's absence, and reads Redis's."""
    database = database_check(engine)
    return [
        HealthCheck(database.name, database.probe, to_start=True),
        schema_check(engine),
        redis_check(redis),
    ]


async def bootstrap(settings: LeaderboardSettings, **ports: Any) -> RpcServer:
    """The server, ready to start, its loops running; `ports` go to `build`."""
    service = build(settings, **ports)
    sessions = connect_sessions(settings)
    tasks = [asyncio.create_task(loop()) for loop in service.loops]

    async def end_loops() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    server = build_server(
        settings,
        service.servicers,
        health_checks=service.checks,
        sessions=sessions.users,
        access=sessions.users,
        closers=[*service.closers, sessions.close, end_loops],
        clock=ports.get("clock"),
    )
    server.registry.register(service.metrics)
    return server
