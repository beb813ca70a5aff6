"""Webhooks that GitHub could not deliver: how far back to look, and when to ask for one again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

KEPT_FOR: Final = timedelta(days=3)
"""How long GitHub keeps a delivery, and can be asked to send it again."""

LOST_AFTER: Final = timedelta(days=3, hours=6)
"""What has not come so long after it first failed never will."""

LOST: Final = "delivery_lost"
"""The gap of coverage that it leaves."""

_OVERLAP: Final = timedelta(minutes=15)
# Less than the hour between two turns, so that each turn asks for what has not come.
_PATIENCE: Final = timedelta(minutes=45)


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """An attempt of GitHub's that failed; `delivery_id` is the same at each attempt.

    Whose and about which repository it is: None where GitHub names none.
    """

    attempt_id: int
    delivery_id: str
    event: str
    attempted_at: datetime
    installation_id: int | None = None
    repository_id: int | None = None


def look_back_to(read_until: datetime | None, now: datetime) -> datetime:
    """From when on failures are to be read, where they were read up to `read_until` before.

    A little is read twice: an attempt may be listed some time after it was made.
    """
    oldest = now - KEPT_FOR
    return oldest if read_until is None else max(oldest, read_until - _OVERLAP)


def asked_before(now: datetime) -> datetime:
    """What was last asked for before this moment, and has not come, is asked for again."""
    return now - _PATIENCE
