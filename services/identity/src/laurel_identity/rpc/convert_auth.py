"""Where the protobuf of sessions and access meets the domain."""

from datetime import datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.identity.v1 import auth_tokens_pb2, directory_access_pb2
from laurel_identity.application.introspect_token import Introspection
from laurel_identity.domain.access import Grant
from laurel_identity.domain.sessions import TokenState

_STATES = {
    TokenState.ACTIVE: auth_tokens_pb2.TOKEN_STATE_ACTIVE,
    TokenState.UNKNOWN: auth_tokens_pb2.TOKEN_STATE_UNKNOWN,
    TokenState.EXPIRED: auth_tokens_pb2.TOKEN_STATE_EXPIRED,
}


def from_introspection(found: Introspection) -> auth_tokens_pb2.IntrospectTokenResponse:
    """The answer to an introspection."""
    answer = auth_tokens_pb2.IntrospectTokenResponse(
        state=_STATES[found.state], keep_duration=_duration(found.keep)
    )
    session = found.session
    if session is not None:
        answer.session_id = session.id
        answer.user_id = session.user_id
        answer.login = session.login
        answer.expire_time.CopyFrom(stamp(session.expires_at))
    return answer


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


def stamp(moment: datetime) -> Timestamp:
    """An instant's message."""
    told = Timestamp()
    told.FromDatetime(moment)
    return told


def _duration(length: timedelta) -> Duration:
    told = Duration()
    told.FromTimedelta(length)
    return told
