"""Sessions of people who signed in, and what their tokens are worth."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

# Use does not extend it.
LASTS = timedelta(hours=24)


class TokenState(StrEnum):
    """What a session token is worth."""

    ACTIVE = "active"
    UNKNOWN = "unknown"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Session:
    """A session. `id` is the SHA-256 of its token: a stolen table opens nothing."""

    id: str
    user_id: int
    login: str
    created_at: datetime
    expires_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Whether its time is up. Use does not extend it."""
        return now >= self.expires_at


def session_id_of(token: str) -> str:
    """The id of the session that a token opens, if it opens one."""
    return sha256(token.encode()).hexdigest()
