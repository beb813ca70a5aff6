"""Sessions and grants as they are kept for the time that PostgreSQL is away."""

from datetime import datetime

import orjson

from laurel_identity.domain.access import Grant
from laurel_identity.domain.sessions import Session


def session_to_text(session: Session) -> bytes:
    """A session without its id, which is the key that it is kept under."""
    return orjson.dumps([session.user_id, session.login, session.created_at, session.expires_at])


def session_from_text(session_id: str, text: bytes) -> Session:
    """The session that `session_to_text` wrote down."""
    user_id, login, created, expires = orjson.loads(text)
    return Session(
        session_id, user_id, login, datetime.fromisoformat(created), datetime.fromisoformat(expires)
    )


def grant_to_text(grant: Grant | None) -> bytes:
    """A grant; None where the user may not know of the installation."""
    if grant is None:
        return b"null"
    readable = grant.readable_repositories
    return orjson.dumps(
        [
            grant.is_admin,
            sorted(grant.hidden_repositories),
            sorted(grant.hidden_teams),
            None if readable is None else sorted(readable),
        ]
    )


def grant_from_text(text: bytes) -> Grant | None:
    """The grant that `grant_to_text` wrote down."""
    kept = orjson.loads(text)
    if kept is None:
        return None
    is_admin, repositories, teams, readable = kept
    return Grant(
        is_admin,
        frozenset(repositories),
        frozenset(teams),
        None if readable is None else frozenset(readable),
    )
