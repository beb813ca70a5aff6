"""Puts identity together: every port can be replaced by an argument."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel.identity.v1 import (
    auth_pb2,
    auth_pb2_grpc,
    directory_pb2,
    directory_pb2_grpc,
    installation_pb2,
    installation_pb2_grpc,
)
from laurel_common.auth.keys import derive_secret, load_private_key
from laurel_common.auth.trust import TrustDirectory
from laurel_common.clock import Clock, SystemClock
from laurel_common.db.engine import create_engine
from laurel_common.jobs import Loop
from laurel_common.page_token import PageTokens
from laurel_common.redis import create_redis
from laurel_common.rpc.health import HealthCheck, database_check, redis_check, schema_check
from laurel_common.rpc.server import RpcServer, Servicer, build_server
from laurel_identity.application.batch_get_users import BatchGetUsers
from laurel_identity.application.begin_install import LASTS, InstallStates
from laurel_identity.application.claim_identity import Authors, ClaimIdentity, FollowClaims
from laurel_identity.application.follow_rosters import FollowRosters
from laurel_identity.application.get_organization import GetOrganization
from laurel_identity.application.installation_ports import TeamForgetter
from laurel_identity.application.list_organizations import ListOrganizations
from laurel_identity.application.list_repositories import ListRepositories
from laurel_identity.application.list_team_relations import ListTeamRelations
from laurel_identity.application.list_teams import ListTeams
from laurel_identity.application.ports import Directory, DirectoryReader, TenantReader
from laurel_identity.application.resolve_logins import ResolveLogins
from laurel_identity.application.upsert_entities import UpsertEntities
from laurel_identity.application.work_ports import HistoryMover, StartScoring
from laurel_identity.bootstrap_installations import UserSide, github_of, installation_use_cases
from laurel_identity.clients.github.connecting import sign_in_client
from laurel_identity.clients.github.user import GitHubUser
from laurel_identity.clients.peers import connect_peers
from laurel_identity.config import IdentitySettings
from laurel_identity.domain.entities import Kind
from laurel_identity.installation_lane import InstallationLane, build_installation_lane
from laurel_identity.rpc.auth_servicer import AuthServicer
from laurel_identity.rpc.directory_servicer import DirectoryServicer, DirectoryUseCases
from laurel_identity.rpc.installation_servicer import InstallationServicer, InstallationUseCases
from laurel_identity.session_parts import GitHubSide, SessionParts, build_sessions
from laurel_identity.storage.claims import ClaimTable
from laurel_identity.storage.directory import SqlDirectory
from laurel_identity.storage.directory_reads import SqlDirectoryReader
from laurel_identity.storage.pending_installs import RedisPendingInstalls
from laurel_identity.storage.roster_notices import RosterNoticeTable
from laurel_identity.storage.tenant_reads import SqlTenantReader

_PAGE_TOKENS = "identity page tokens"

Closer = Callable[[], Awaitable[object]]
# Nobody wakes it for what another process, or a cascade, has changed.
_FOLLOW_EVERY_SECONDS = 5.0


@dataclass(slots=True)
class Identity:
    """The service without its server: what tests and the server have in common."""

    servicers: list[Servicer]
    checks: list[HealthCheck]
    sessions: SessionParts
    lane: InstallationLane
    follow_rosters: FollowRosters
    follow: Loop
    follow_claims: FollowClaims
    following: Loop
    # What runs for as long as the service does.
    loops: list[Callable[[], Coroutine[Any, Any, None]]]
    closers: list[Closer] = field(default_factory=list)


def build(
    settings: IdentitySettings,
    *,
    engine: AsyncEngine | None = None,
    redis: Redis | None = None,
    directory: Directory | None = None,
    directory_reader: DirectoryReader | None = None,
    tenant_reader: TenantReader | None = None,
    forget_team: TeamForgetter | None = None,
    history: HistoryMover | None = None,
    start_scoring: StartScoring | None = None,
    authors: Authors | None = None,
    clock: Clock | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Identity:
    """Builds everything below the server. Called within the running loop."""
    clock = clock or SystemClock()
    closers: list[Closer] = []
    if engine is None:
        engine = create_engine(
            settings.database_url,
            application_name="laurel-identity",
            pool_size=settings.database_pool_size,
        )
        closers.append(engine.dispose)
    if redis is None:
        redis = create_redis(settings.redis_url)
        closers.append(redis.aclose)
    github = github_of(settings)
    closers.append(github.http.aclose)
    tokens = PageTokens(derive_secret(load_private_key(settings.key_file), _PAGE_TOKENS))
    reader = directory_reader or SqlDirectoryReader(engine)
    tenants = tenant_reader or SqlTenantReader(engine)
    if forget_team is None or history is None or start_scoring is None or authors is None:
        peers = connect_peers(settings, clock, closers)
        forget_team, history = forget_team or peers.forget_team, history or peers.history
        start_scoring, authors = start_scoring or peers.start_scoring, authors or peers.authors
    follow_rosters = FollowRosters(RosterNoticeTable(engine), start_scoring)
    follow = Loop("follow-rosters", follow_rosters, every_seconds=_FOLLOW_EVERY_SECONDS)
    follow_rosters.on_wake = follow.wake
    claims = ClaimTable(engine)
    follow_claims = FollowClaims(claims, authors, clock)
    following = Loop("follow-claims", follow_claims, every_seconds=_FOLLOW_EVERY_SECONDS)
    directory = directory or _sql_directory(settings, engine, follow_rosters.wake)
    upsert = UpsertEntities(directory, clock)
    github_users = GitHubUser(github.http)
    installs = RedisPendingInstalls(redis, seconds=int(LASTS.total_seconds()))
    sessions = build_sessions(
        settings,
        engine,
        redis,
        github=GitHubSide(sign_in_client(settings, github.http, clock), github_users),
        upsert=upsert,
        reader=reader,
        seals=tokens,
        clock=clock,
        monotonic=monotonic,
    )
    lane = build_installation_lane(settings, engine=engine, history=history, clock=clock)
    closers += [sessions.close, *lane.closers(), follow.stop, following.stop]
    return Identity(
        servicers=[
            _auth(AuthServicer(sessions.use_cases, tokens)),
            _directory(
                DirectoryUseCases(
                    upsert_entities=upsert,
                    batch_get_users=BatchGetUsers(reader),
                    resolve_logins=ResolveLogins(reader),
                    get_organization=GetOrganization(reader),
                    list_organizations=ListOrganizations(reader),
                    list_repositories=ListRepositories(tenants),
                    list_teams=ListTeams(tenants),
                    list_team_members=ListTeamRelations(tenants, Kind.TEAM_MEMBER),
                    list_team_repositories=ListTeamRelations(tenants, Kind.TEAM_REPOSITORY),
                    check_access=sessions.check_access,
                    claim_identity=ClaimIdentity(claims, clock, following.wake),
                ),
                tokens,
            ),
            _installations(
                installation_use_cases(
                    engine,
                    directory,
                    github,
                    users=UserSide(
                        sessions.end_sessions,
                        sessions.user_tokens,
                        github_users,
                        sessions.discover,
                        InstallStates(tokens, installs, clock),
                    ),
                    forget_team=forget_team,
                    erasures=lane.works,
                    clock=clock,
                ),
                tokens,
            ),
        ],
        checks=[database_check(engine), schema_check(engine), redis_check(redis)],
        sessions=sessions,
        lane=lane,
        follow_rosters=follow_rosters,
        follow=follow,
        follow_claims=follow_claims,
        following=following,
        loops=[sessions.recent.run, sessions.listener.run, sessions.keep.run],
        closers=closers,
    )


def _auth(servicer: AuthServicer) -> Servicer:
    return (
        auth_pb2_grpc.add_AuthServiceServicer_to_server,
        servicer,
        auth_pb2.DESCRIPTOR.services_by_name["AuthService"],
    )


def _sql_directory(
    settings: IdentitySettings, engine: AsyncEngine, on_commit: Callable[[], None]
) -> Directory:
    writers = max(1, settings.database_pool_size // 2)
    return SqlDirectory(engine, writers=writers, on_commit=on_commit)


def _directory(use_cases: DirectoryUseCases, tokens: PageTokens) -> Servicer:
    return (
        directory_pb2_grpc.add_DirectoryServiceServicer_to_server,
        DirectoryServicer(use_cases, tokens),
        directory_pb2.DESCRIPTOR.services_by_name["DirectoryService"],
    )


def _installations(use_cases: InstallationUseCases, tokens: PageTokens) -> Servicer:
    return (
        installation_pb2_grpc.add_InstallationServiceServicer_to_server,
        InstallationServicer(use_cases, tokens),
        installation_pb2.DESCRIPTOR.services_by_name["InstallationService"],
    )


async def bootstrap(
    settings: IdentitySettings, *, trust: TrustDirectory | None = None, **ports: Any
) -> RpcServer:
    """The server, ready to start, its loops running; `ports` go to `build`.

    Raises ConfigError, KeyFileError and TrustFileError for settings that can't be used.
    """
    service = build(settings, **ports)
    tasks = [asyncio.create_task(loop()) for loop in service.loops]

    async def end_loops() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    server = build_server(
        settings,
        service.servicers,
        health_checks=service.checks,
        sessions=service.sessions.users,
        access=service.sessions.users,
        closers=[*service.closers, end_loops],
        clock=ports.get("clock"),
        trust=trust,
    )
    service.lane.start()
    service.follow.start()
    service.following.start()
    return server
