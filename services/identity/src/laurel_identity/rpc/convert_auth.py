"""Where the protobuf of sessions and access meets the domain."""

from datetime import datetime, timedelta
from functools import lru_cache

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.identity.v1 import (
    auth_sessions_pb2,
    auth_sign_in_pb2,
    auth_tokens_pb2,
    directory_access_pb2,
)
from laurel_identity.application.begin_sign_in import BegunSignIn
from laurel_identity.application.introspect_token import Introspection
from laurel_identity.application.view_sessions import SessionView
from laurel_identity.domain.access import Grant
from laurel_identity.domain.sessions import Session, TokenState
from laurel_identity.rpc.convert import from_user

_STATES = {
    TokenState.ACTIVE: auth_tokens_pb2.TOKEN_STATE_ACTIVE,
    TokenState.UNKNOWN: auth_tokens_pb2.TOKEN_STATE_UNKNOWN,
    TokenState.EXPIRED: auth_tokens_pb2.TOKEN_STATE_EXPIRED,
}


def from_introspection(found: Introspection) -> bytes:
    """The answer to an introspection, serialized: of the same session the same bytes but for how
    long they may be kept, told in tenths of a second.
    """
    tenths = int(found.keep.total_seconds() * 10)
    return _session_part(found.state, found.session) + _keep_part(tenths)


@lru_cache(maxsize=4096)
def _session_part(state: TokenState, session: Session | None) -> bytes:
    answer = auth_tokens_pb2.IntrospectTokenResponse(state=_STATES[state])
    if session is not None:
        answer.session_id = session.id
        answer.user_id = session.user_id
        answer.login = session.login
        answer.expire_time.CopyFrom(stamp(session.expires_at))
    return answer.SerializeToString()


@lru_cache(maxsize=64)
def _keep_part(tenths: int) -> bytes:
    # Serialized messages of one type that follow each other are read as one.
    keep = _duration(timedelta(milliseconds=100 * tenths))
    return auth_tokens_pb2.IntrospectTokenResponse(keep_duration=keep).SerializeToString()


def from_grant(grant: Grant, keep: timedelta) -> directory_access_pb2.CheckAccessResponse:
    """The answer to a check of access."""
    readable = grant.readable_repositories
    return directory_access_pb2.CheckAccessResponse(
        is_admin=grant.is_admin,
        is_member=readable is None,
        hidden_repository_ids=sorted(grant.hidden_repositories),
        hidden_team_ids=sorted(grant.hidden_teams),
        readable_repository_ids=sorted(readable or ()),
        keep_duration=_duration(keep),
    )


def from_begun(begun: BegunSignIn) -> auth_sign_in_pb2.BeginSignInResponse:
    """Where the user goes, and what the gateway keeps."""
    return auth_sign_in_pb2.BeginSignInResponse(
        authorize_url=begun.authorize_url,
        state=begun.state,
        csrf_token=begun.csrf_token,
        expire_time=stamp(begun.expires_at),
    )


def from_view(view: SessionView, *, current: str) -> auth_sessions_pb2.Session:
    """A session's message; `current` is the id of the one that the call came with."""
    session = view.session
    return auth_sessions_pb2.Session(
        session_id=session.id,
        user=from_user(view.user),
        create_time=stamp(session.created_at),
        expire_time=stamp(session.expires_at),
        is_current=session.id == current,
        installation_ids=view.installations,
    )


def stamp(moment: datetime) -> Timestamp:
    """An instant's message."""
    told = Timestamp()
    told.FromDatetime(moment)
    return told


def _duration(length: timedelta) -> Duration:
    told = Duration()
    told.FromTimedelta(length)
    return told
