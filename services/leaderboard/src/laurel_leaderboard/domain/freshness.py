"""Whether a board holds all that is known: how long it may go unchecked, what it is marked with."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from laurel_leaderboard.domain.boards import BoardKey, TimePeriod

AGE_LIMITS = {
    TimePeriod.TODAY: timedelta(minutes=10),
    TimePeriod.WEEK: timedelta(hours=1),
    TimePeriod.MONTH: timedelta(hours=6),
    TimePeriod.QUARTER: timedelta(hours=12),
    TimePeriod.HALF_YEAR: timedelta(hours=24),
    TimePeriod.ALL_TIME: timedelta(hours=24),
}


def stale_at(period: TimePeriod, last_checked: datetime) -> datetime:
    """The last instant at which a version that was checked then still counts as fresh."""
    return last_checked + AGE_LIMITS[period]


def is_stale(period: TimePeriod, last_checked: datetime, now: datetime) -> bool:
    """Whether a current version was last checked longer ago than its window allows."""
    return now > stale_at(period, last_checked)


class Cause(StrEnum):
    """What has changed that boards do not hold yet."""

    SIGNALS = "signals"
    ROSTER = "roster"
    BOTS = "bots"
    PRESET = "preset"


class Marks(NamedTuple):
    """The highest marks on a preset's boards: on all of the installation's, and on single ones."""

    installation: int
    boards: Mapping[BoardKey, int]

    def on(self, board: BoardKey) -> int:
        """The highest mark on a board; 0 for none."""
        return max(self.installation, self.boards.get(board, 0))
