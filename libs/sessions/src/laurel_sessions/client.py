"""Asks identity whose session a token opens and what its user may see."""

import time
from collections.abc import Callable, Collection
from hashlib import sha256

import grpc

from laurel.identity.v1 import (
    auth_pb2_grpc,
    auth_tokens_pb2,
    directory_access_pb2,
    directory_pb2_grpc,
)
from laurel_common.auth.access import Access, AccessResolver
from laurel_common.auth.principal import Principal, PrincipalKind
from laurel_common.auth.sessions import SessionResolver
from laurel_common.errors import (
    CallerNotAllowed,
    DependencyUnavailable,
    InstallationNotFound,
    LaurelError,
    RemoteError,
    TokenExpired,
    Unauthenticated,
)
from laurel_common.remembered import Remembered

# Nothing is kept longer, whatever identity says.
LONGEST_SECONDS = 5.0
# So long before its time is up what is in use is asked for again, so that no call waits for it.
_AHEAD_SECONDS = 0.5
# Identity keeps what it knows for two seconds itself; refusals do not say how much of it is left.
_REFUSAL_SECONDS = 3.0
_MAX_SESSIONS = 20_000
_MAX_ACCESS = 5_000
_AWAY = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "CANCELLED"}

# What is kept: an answer, or what to refuse with.
Refusal = type[LaurelError]


class IdentitySessions(SessionResolver, AccessResolver):
    """Implements SessionResolver and AccessResolver, by five seconds at most behind identity."""

    def __init__(
        self, channel: grpc.aio.Channel, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._auth = auth_pb2_grpc.AuthServiceStub(channel)
        self._directory = directory_pb2_grpc.DirectoryServiceStub(channel)
        # By the session's id: no token is kept.
        self._sessions: Remembered[str, Principal | Refusal] = Remembered(
            limit=_MAX_SESSIONS, ahead=_AHEAD_SECONDS, monotonic=monotonic
        )
        self._access: Remembered[tuple[str, int, bool], Access | Refusal] = Remembered(
            limit=_MAX_ACCESS, ahead=_AHEAD_SECONDS, monotonic=monotonic
        )

    def known(self, token: str) -> Principal | None:
        """See SessionResolver."""
        found = self._sessions.current(_session_id(token), lambda: self._introspect(token))
        if found is None or isinstance(found, Principal):
            return found
        raise found

    async def resolve(self, token: str) -> Principal:
        """See SessionResolver."""
        found = await self._sessions.get(_session_id(token), lambda: self._introspect(token))
        if isinstance(found, Principal):
            return found
        raise found

    def known_access(
        self, session_id: str, installation_id: int, *, require_admin: bool
    ) -> Access | None:
        """See AccessResolver."""
        key = (session_id, installation_id, require_admin)
        found = self._access.current(key, lambda: self._check(*key))
        if found is None or isinstance(found, Access):
            return found
        raise found

    async def access(self, session_id: str, installation_id: int, *, require_admin: bool) -> Access:
        """See AccessResolver."""
        key = (session_id, installation_id, require_admin)
        found = await self._access.get(key, lambda: self._check(*key))
        if isinstance(found, Access):
            return found
        raise found

    def forget(self, session_ids: Collection[str] | None = None) -> None:
        """Drops what is kept about these sessions, or about all."""
        if session_ids is None:
            self._sessions.forget()
            self._access.forget()
        else:
            self._sessions.forget(lambda key: key in session_ids)
            self._access.forget(lambda key: key[0] in session_ids)

    async def _introspect(self, token: str) -> tuple[Principal | Refusal, float]:
        request = auth_tokens_pb2.IntrospectTokenRequest(token=token)
        try:
            answer = await self._auth.IntrospectToken(request)
        except RemoteError as error:
            raise _unanswered(error) from error
        seconds = _seconds(answer.keep_duration.ToTimedelta().total_seconds())
        if answer.state == auth_tokens_pb2.TOKEN_STATE_EXPIRED:
            return TokenExpired, seconds
        if answer.state != auth_tokens_pb2.TOKEN_STATE_ACTIVE:
            return Unauthenticated, seconds
        principal = Principal(
            PrincipalKind.USER,
            answer.login,
            token_id=answer.session_id,
            user_id=answer.user_id,
        )
        return principal, seconds

    async def _check(
        self, session_id: str, installation_id: int, require_admin: bool
    ) -> tuple[Access | Refusal, float]:
        request = directory_access_pb2.CheckAccessRequest(
            session_id=session_id, installation_id=installation_id, require_admin=require_admin
        )
        try:
            answer = await self._directory.CheckAccess(request)
        except RemoteError as error:
            if error.reason == InstallationNotFound.reason:
                return InstallationNotFound, _REFUSAL_SECONDS
            if error.reason == "SESSION_NOT_FOUND":
                return Unauthenticated, _REFUSAL_SECONDS
            raise _unanswered(error) from error
        seconds = _seconds(answer.keep_duration.ToTimedelta().total_seconds())
        if require_admin and not answer.is_admin:
            return CallerNotAllowed, seconds
        readable = None if answer.is_member else frozenset(answer.readable_repository_ids)
        return (
            Access(
                answer.is_admin,
                frozenset(answer.hidden_repository_ids),
                frozenset(answer.hidden_team_ids),
                readable,
            ),
            seconds,
        )


def _session_id(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _seconds(told: float) -> float:
    return min(max(told, 0.0), LONGEST_SECONDS)


def _unanswered(error: RemoteError) -> LaurelError:
    """An absence of identity's is one to wait for; any other refusal is a fault of ours."""
    if error.code in _AWAY:
        return DependencyUnavailable(retry_after=error.retry_after)
    return error
