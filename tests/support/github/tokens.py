"""The tokens that the simulated GitHub has given out."""

from dataclasses import dataclass
from datetime import datetime


@dataclass
class Token:
    """A token of an installation or a user; None never expires."""

    value: str
    kind: str  # "installation" or "user"
    subject_id: int
    expires_at: datetime | None = None
    revoked: bool = False
