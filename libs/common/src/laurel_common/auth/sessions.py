"""The port through which a user's session token becomes a principal."""

import re
from typing import Protocol

from laurel_common.auth.principal import Principal

_SESSION_TOKEN = re.compile(r"[0-9a-f]{64}")


class SessionResolver(Protocol):
    """Asks identity whose session a token opens.

    An implementation keeps an answer for at most five seconds, so that a revoked session is gone
    everywhere within them.
    """

    def known(self, token: str) -> Principal | None:  # noqa: ARG002 - whoever keeps nothing
        """The same where the answer is kept, at once; None where it has to be asked for."""
        return None

    async def resolve(self, token: str) -> Principal:
        """The user behind `token` (64 hex digits).

        Raises Unauthenticated for a token that opens nothing, TokenExpired for one that did, and
        DependencyUnavailable while that can't be told.
        """
        ...


def is_session_token(token: str) -> bool:
    """Whether `token` has the shape of a session token."""
    return len(token) == 64 and _SESSION_TOKEN.fullmatch(token) is not None
