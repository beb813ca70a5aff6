"""Puts ingest together; every port can be replaced by argument."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel.identity.v1 import directory_pb2, installation_pb2
from laurel.ingest.v1 import signal_pb2, signal_pb2_grpc
from laurel.scoring.v1 import scoring_pb2
from laurel_common.auth.keys import derive_secret, load_private_key
from laurel_common.auth.tokens import TokenSource
from laurel_common.clock import Clock, SystemClock
from laurel_common.db import create_engine
from laurel_common.page_token import PageTokens
from laurel_common.redis import create_redis
from laurel_common.rpc.client import connect_peer
from laurel_common.rpc.health import HealthCheck, database_check, redis_check, schema_check
from laurel_common.rpc.server import RpcServer, Servicer, build_server
from laurel_ingest.application.adopt_installation import AdoptInstallation
from laurel_ingest.application.batch_store import BatchStore
from laurel_ingest.application.bots import ListBots, UpdateBots
from laurel_ingest.application.claim_author import ClaimAuthor
from laurel_ingest.application.flag_spam import FlagSpam
from laurel_ingest.application.follow_boards import FollowBoards
from laurel_ingest.application.forget_installation import ForgetInstallation
from laurel_ingest.application.forget_team import ForgetTeam
from laurel_ingest.application.history.github import InstallationTokens
from laurel_ingest.application.history.ports import Roster
from laurel_ingest.application.import_events import ImportEvents
from laurel_ingest.application.inbox import InstallationEvents, Scoring
from laurel_ingest.application.list_signals import ListSignals
from laurel_ingest.application.partitions import DropOldPartitions, GetPartitionHealth
from laurel_ingest.application.ports import Directory, SignalStream, Storage
from laurel_ingest.application.redeliver_webhooks import FailedWebhooks
from laurel_ingest.application.write_signals import WriteSignals
from laurel_ingest.clients.directory import IdentityDirectory
from laurel_ingest.clients.failed_webhooks import IdentityFailedWebhooks
from laurel_ingest.clients.github.tokens import IdentityTokens
from laurel_ingest.clients.installation_events import IdentityEvents
from laurel_ingest.clients.roster import IdentityRoster
from laurel_ingest.clients.scoring import ScoringRuns
from laurel_ingest.config import IngestSettings
from laurel_ingest.history_lane import HistoryLane, build_history_lane
from laurel_ingest.rpc.corrections import CorrectionCases
from laurel_ingest.rpc.ingest import IngestServicer, served
from laurel_ingest.rpc.signals import SignalServicer
from laurel_ingest.storage.adoptions import AdoptionTables
from laurel_ingest.storage.author_claims import AuthorClaimTables
from laurel_ingest.storage.corrections import BotTable
from laurel_ingest.storage.erasures import ErasureTables
from laurel_ingest.storage.partitions import PartitionTables
from laurel_ingest.storage.postgres import PostgresStorage
from laurel_ingest.storage.scoring_notices import ScoringNoticeTable
from laurel_ingest.storage.sessions import SESSION
from laurel_ingest.storage.signal_reader import PostgresSignalReader
from laurel_ingest.storage.signal_stream import AdbcSignalStream
from laurel_ingest.storage.teams import TeamTraces
from laurel_ingest.storage.thing_lookup import ThingTable
from laurel_ingest.webhook_lane import WebhookLane, build_webhook_lane
from laurel_sessions import connect_sessions

# Corrections are rare, and must not wait for imports' turns.
_CORRECTORS = 2

Closer = Callable[[], Awaitable[object]]


@dataclass(slots=True)
class Ingest:
    """The service without its server: what tests and the server have in common."""

    servicers: list[Servicer]
    checks: list[HealthCheck]
    closers: list[Closer]
    webhooks: WebhookLane
    history: HistoryLane
    adopt_installation: AdoptInstallation
    forget_installation: ForgetInstallation
    claim_author: ClaimAuthor


def build(
    settings: IngestSettings,
    *,
    clock: Clock | None = None,
    engine: AsyncEngine | None = None,
    redis: Redis | None = None,
    storage: Storage | None = None,
    stream: SignalStream | None = None,
    directory: Directory | None = None,
    identity: InstallationEvents | None = None,
    failed_webhooks: FailedWebhooks | None = None,
    scoring: Scoring | None = None,
    roster: Roster | None = None,
    installation_tokens: InstallationTokens | None = None,
) -> Ingest:
    """Builds everything below the server. Called within the running loop."""
    clock = clock or SystemClock()
    key = load_private_key(settings.key_file)
    closers: list[Closer] = []
    if engine is None:
        engine = create_engine(
            settings.database_url,
            application_name="laurel-ingest",
            pool_size=settings.database_pool_size,
            session=SESSION,
        )
        closers.append(engine.dispose)
    if redis is None:
        redis = create_redis(settings.redis_url)
        closers.append(redis.aclose)
    credentials = TokenSource("ingest", key, clock=clock)
    services = [
        directory_pb2.DESCRIPTOR.services_by_name["DirectoryService"],
        installation_pb2.DESCRIPTOR.services_by_name["InstallationService"],
    ]
    channel = connect_peer(settings, "identity", tokens=credentials, services=services)
    closers.append(channel.close)
    directory = directory or IdentityDirectory(channel)
    identity = identity or IdentityEvents(channel)
    failed_webhooks = failed_webhooks or IdentityFailedWebhooks(channel)
    roster = roster or IdentityRoster(channel)
    installation_tokens = installation_tokens or IdentityTokens(channel)
    if scoring is None:
        services = [scoring_pb2.DESCRIPTOR.services_by_name["ScoringService"]]
        channel = connect_peer(settings, "scoring", tokens=credentials, services=services)
        closers.append(channel.close)
        scoring = ScoringRuns(channel)

    follow_boards = FollowBoards(ScoringNoticeTable(engine), scoring)
    storage = storage or PostgresStorage(
        engine,
        writers=max(1, settings.database_pool_size // 2),
        boards_follow=True,
        on_commit=follow_boards.wake,
    )
    tokens = PageTokens(derive_secret(key, "page tokens"))
    history = build_history_lane(
        settings,
        engine=engine,
        directory=directory,
        roster=roster,
        installation_tokens=installation_tokens,
        tokens=tokens,
        clock=clock,
        bulk=follow_boards.lasting_bulk_write(),
    )
    closers += history.closers()
    webhooks = build_webhook_lane(
        settings,
        engine=engine,
        directory=directory,
        identity=identity,
        failed_webhooks=failed_webhooks,
        begin_history=history.begin,
        rewritten=history.rewritten.wake,
        follow_boards=follow_boards,
        tokens=tokens,
        clock=clock,
    )
    closers += webhooks.closers()
    changed, bots = webhooks.follow.wake, BotTable(engine)
    forget_installation = ForgetInstallation(ErasureTables(engine))
    adopt_installation = AdoptInstallation(AdoptionTables(engine), clock, changed)
    claim_author = ClaimAuthor(AuthorClaimTables(engine), BatchStore(storage), clock, changed)
    partitions = PartitionTables(engine)
    servicer = SignalServicer(
        WriteSignals(storage, directory, clock),
        ImportEvents(storage, directory, clock),
        ListSignals(PostgresSignalReader(engine), directory, tokens),
        stream or AdbcSignalStream(settings.database_url),
        CorrectionCases(
            FlagSpam(
                PostgresStorage(engine, writers=_CORRECTORS, boards_follow=True),
                *(ThingTable(engine), directory, clock, changed),
            ),
            ListBots(bots, directory, tokens),
            UpdateBots(bots, directory, clock, changed),
            claim_author,
            ForgetTeam(TeamTraces(engine)),
            adopt_installation,
            forget_installation,
        ),
        follow=follow_boards,
    )
    operation = IngestServicer(
        GetPartitionHealth(partitions),
        DropOldPartitions(partitions, clock, changed),
        history.cases,
    )
    return Ingest(
        servicers=[
            webhooks.servicer,
            served(operation),
            (
                signal_pb2_grpc.add_SignalServiceServicer_to_server,
                servicer,
                signal_pb2.DESCRIPTOR.services_by_name["SignalService"],
            ),
        ],
        checks=[database_check(engine), schema_check(engine), redis_check(redis)],
        closers=closers,
        webhooks=webhooks,
        history=history,
        adopt_installation=adopt_installation,
        forget_installation=forget_installation,
        claim_author=claim_author,
    )


async def bootstrap(settings: IngestSettings, **ports: Any) -> RpcServer:
    """The server, ready to start; `ports` go to `build`."""
    service = build(settings, **ports)
    sessions = connect_sessions(settings)
    server = build_server(
        settings,
        service.servicers,
        health_checks=service.checks,
        sessions=sessions.users,
        access=sessions.users,
        closers=[*service.closers, sessions.close],
        clock=ports.get("clock"),
    )
    server.registry.register(service.webhooks.metrics)
    server.registry.register(service.history.metrics)
    service.webhooks.start()
    service.history.start()
    return server
