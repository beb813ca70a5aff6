"""Puts the part of identity together that signs people in and answers for their sessions."""

import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.clock import Clock
from laurel_common.config import ConfigError
from laurel_common.page_token import PageTokens
from laurel_identity.application.ask_github import AskGitHub
from laurel_identity.application.begin_sign_in import LASTS, BeginSignIn, States
from laurel_identity.application.check_access import CheckAccess
from laurel_identity.application.complete_sign_in import CompleteSignIn
from laurel_identity.application.discover import Discover
from laurel_identity.application.discover_again import DiscoverAgain
from laurel_identity.application.end_sessions import EndSessions
from laurel_identity.application.introspect_token import IntrospectToken
from laurel_identity.application.keep_sessions import KeepSessions
from laurel_identity.application.ports import DirectoryReader
from laurel_identity.application.sign_in_ports import SignInClient, UserClient
from laurel_identity.application.upsert_entities import UpsertEntities
from laurel_identity.application.user_tokens import UserTokens
from laurel_identity.application.view_sessions import ViewSessions
from laurel_identity.config import IdentitySettings
from laurel_identity.rpc.auth_servicer import AuthUseCases
from laurel_identity.rpc.users import LocalUsers
from laurel_identity.storage.access import SqlAccessReader
from laurel_identity.storage.pending_sign_ins import RedisPendingSignIns
from laurel_identity.storage.recent_answers import RedisRecentAnswers
from laurel_identity.storage.session_store import SqlSessionStore
from laurel_identity.storage.sessions import SqlSessionLookup, SqlSessionReader
from laurel_identity.storage.token_cipher import TokenCipher, parse_token_keys
from laurel_sessions import RevocationListener


@dataclass(frozen=True, slots=True)
class GitHubSide:
    """GitHub as sign-in asks it, and as users do."""

    sign_in: SignInClient
    users: UserClient


@dataclass(slots=True)
class Kept:
    """Whatever keeps something about sessions for a while."""

    holders: list[IntrospectToken | CheckAccess | LocalUsers | AskGitHub] = field(
        default_factory=list
    )

    def forget(self, session_ids: Collection[str] | None) -> None:
        """Drops what is kept about these sessions, or about all."""
        for each in self.holders:
            each.forget(lambda key: session_ids is None or key in session_ids)


@dataclass(slots=True)
class SessionParts:
    """What the rest of identity needs of it."""

    use_cases: AuthUseCases
    check_access: CheckAccess
    users: LocalUsers
    recent: RedisRecentAnswers
    listener: RevocationListener
    end_sessions: EndSessions
    user_tokens: UserTokens
    discover: Discover
    keep: KeepSessions
    kept: Kept
    close: Callable[[], Awaitable[None]]


def cipher_of(settings: IdentitySettings) -> TokenCipher:
    """The cipher that the settings' keys make. Raises ConfigError."""
    try:
        return TokenCipher(parse_token_keys(settings.token_keys))
    except ValueError as error:
        raise ConfigError([f"LAUREL_TOKEN_KEYS: {error}"]) from None


def build_sessions(
    settings: IdentitySettings,
    engine: AsyncEngine,
    redis: Redis,
    *,
    github: GitHubSide,
    upsert: UpsertEntities,
    reader: DirectoryReader,
    seals: PageTokens,
    clock: Clock,
    monotonic: Callable[[], float] = time.monotonic,
) -> SessionParts:
    """Builds it over one database, one Redis and one GitHub; what is kept is kept by `monotonic`.
    Raises ConfigError.
    """
    store = SqlSessionStore(engine, cipher_of(settings))
    sessions, access = SqlSessionReader(engine), SqlAccessReader(engine)
    recent = RedisRecentAnswers(redis)
    lookup = SqlSessionLookup(engine)
    patience = settings.database_patience_seconds
    introspect_token = IntrospectToken(
        lookup, recent, clock, patience=patience, monotonic=monotonic
    )
    kept = Kept()
    end_sessions = EndSessions(store, recent, kept.forget)
    tokens = UserTokens(store, github.sign_in, end_sessions, clock)
    discover = Discover(github.users, store, clock)
    ask = AskGitHub(
        tokens=tokens,
        users=github.users,
        discover=discover,
        sessions=store,
        clock=clock,
        patience=settings.github_patience_seconds,
        monotonic=monotonic,
    )
    again = DiscoverAgain(
        tokens=tokens, users=github.users, sessions=store, clock=clock, monotonic=monotonic
    )
    check_access = CheckAccess(
        access, recent, ask, again, clock, patience=patience, monotonic=monotonic
    )
    users = LocalUsers(introspect_token, check_access, access, again, monotonic=monotonic)
    pending = RedisPendingSignIns(redis, seconds=int(LASTS.total_seconds()))
    states = States(seals)
    keep = KeepSessions(store, interval=settings.session_interval_seconds)
    use_cases = AuthUseCases(
        begin_sign_in=BeginSignIn(github.sign_in, pending, states, clock),
        complete_sign_in=CompleteSignIn(
            client=github.sign_in,
            users=github.users,
            pending=pending,
            states=states,
            upsert=upsert,
            sessions=store,
            discover=discover,
            clock=clock,
        ),
        view_sessions=ViewSessions(sessions, store, access, reader, clock),
        end_sessions=end_sessions,
        introspect_token=introspect_token,
        keep_sessions=keep,
    )
    kept.holders.extend((introspect_token, check_access, users, ask))
    return SessionParts(
        use_cases=use_cases,
        check_access=check_access,
        users=users,
        recent=recent,
        listener=RevocationListener(redis, kept.forget),
        end_sessions=end_sessions,
        user_tokens=tokens,
        discover=discover,
        keep=keep,
        kept=kept,
        close=lookup.close,
    )
