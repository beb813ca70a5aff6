"""Where each period begins: pure functions of as_of, in microseconds since 1970 UTC."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from laurel_scoring.domain.vocabulary import TimePeriod

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_US = 86_400_000_000
BEGINNING = -(2**63)
"""The start of a window that has none."""

_LENGTH = {
    TimePeriod.WEEK: 7 * DAY_US,
    TimePeriod.MONTH: 30 * DAY_US,
    TimePeriod.QUARTER: 90 * DAY_US,
    TimePeriod.HALF_YEAR: 180 * DAY_US,
}


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_microseconds(microseconds: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


def period_start(period: TimePeriod, as_of: int) -> int:
    """The first microsecond that belongs to `period` as of the microsecond `as_of`."""
    if period is TimePeriod.ALL_TIME:
        return BEGINNING
    if period is TimePeriod.TODAY:
        return as_of - as_of % DAY_US
    return as_of - _LENGTH[period]


def week_after(moment: int) -> int:
    """The first microsecond of the ISO week that follows the one of the microsecond `moment`;
    BEGINNING for that one, which lies in no week.
    """
    if moment == BEGINNING:
        return BEGINNING
    # The first day of all was a Thursday.
    week = (moment // DAY_US + 3) // 7
    return ((week + 1) * 7 - 3) * DAY_US


@dataclass(frozen=True)
class Windows:
    """Windows that end together at `last` (inclusive) and contain each other, widest first.

    The engine evaluates all of them in one pass, which their nesting makes cheap: a signal
    inside a narrow window is inside every wider one.
    """

    starts: tuple[int, ...]
    last: int
    periods: tuple[TimePeriod, ...] = ()

    @classmethod
    def of_periods(cls, as_of: int, periods: Sequence[TimePeriod] = tuple(TimePeriod)) -> "Windows":
        """The windows of `periods` as of the microsecond `as_of`."""
        widest_first = sorted(periods, reverse=True)
        starts = tuple(period_start(period, as_of) for period in widest_first)
        return cls(starts, as_of, tuple(widest_first))

    @classmethod
    def of_range(cls, start: int, end: int) -> "Windows":
        """The custom range [start, end), which has no period."""
        return cls((start,), end - 1)

    def start_array(self) -> npt.NDArray[np.int64]:
        """The starts as the engine takes them."""
        return np.array(self.starts, dtype=np.int64)

    def following_weeks(self) -> npt.NDArray[np.int64]:
        """When the ISO week after the one in which each window begins does so."""
        return np.array([week_after(start) for start in self.starts], dtype=np.int64)
