"""Pages of a board's version: what names one, and when its names have grown old."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import NamedTuple

from laurel_leaderboard.domain.entries import Position

# Two epochs are a minute: a page is rebuilt when its epoch has passed, and never given out with
# names older than the epoch before.
EPOCH_SECONDS = 30


class Freshness(IntEnum):
    """Whether a board holds all that is known."""

    FRESH = 1
    STALE = 2


class Source(IntEnum):
    """Where a page came from."""

    MEMORY = 1
    REDIS = 2
    POSTGRESQL = 3


class PageKey(NamedTuple):
    """Names a page whatever names its entries bear; `after` None is the first page.

    `hidden` are those of its entries that are masked: none on a full page.
    """

    materialization_id: int
    after: Position | None
    size: int
    hidden: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Page:
    """Entries as the bytes that go out; `last` is the place of the last one if more follow."""

    entries: bytes
    last: Position | None


def names_epoch(materialization_id: int, now: datetime) -> int:
    """The epoch of a version's pages: a new one every half minute, not for all versions at once."""
    offset = materialization_id % EPOCH_SECONDS
    return int(now.timestamp() + offset) // EPOCH_SECONDS


def names_until(materialization_id: int, now: datetime) -> datetime:
    """When the epoch ends that `now` is in."""
    offset = materialization_id % EPOCH_SECONDS
    end = (names_epoch(materialization_id, now) + 1) * EPOCH_SECONDS - offset
    return datetime.fromtimestamp(end, UTC)
