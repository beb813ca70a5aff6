"""Webhooks that GitHub could not deliver: how far back to look, and when to ask for one again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

KEPT_FOR: Final = timedelta(days=3)
"""How long GitHub keeps a delivery, and can be asked to send it again."""

FORGOTTEN_AFTER: Final = timedelta(days=7)
"""Longer than anything is asked for, so that what fails for ever is not taken for new."""

_OVERLAP: Final = timedelta(minutes=15)
# Less than the hour between two turns, so that each turn asks for what has not come.
_PATIENCE: Final = timedelta(minutes=45)


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """An attempt of GitHub's that failed; `delivery_id` is the same at each attempt."""

    attempt_id: int
    delivery_id: str
    event: str
    attempted_at: datetime


def look_back_to(read_until: datetime | None, now: datetime) -> datetime:
    """From when on failures are to be read, where they were read up to `read_until` before.

    A little is read twice: an attempt may be listed some time after it was made.
    """
    oldest = now - KEPT_FOR
    return oldest if read_until is None else max(oldest, read_until - _OVERLAP)


def asked_before(now: datetime) -> datetime:
    """What was last asked for before this moment, and has not come, is asked for again."""
    return now - _PATIENCE
