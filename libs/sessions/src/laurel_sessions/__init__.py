"""Whose session a token opens and what its user may see: asked of identity, kept for seconds."""

from laurel_sessions.client import IdentitySessions
from laurel_sessions.connecting import connect_sessions
from laurel_sessions.revocations import RevocationListener, publish_revoked

__all__ = [
    "IdentitySessions",
    "RevocationListener",
    "connect_sessions",
    "publish_revoked",
]
