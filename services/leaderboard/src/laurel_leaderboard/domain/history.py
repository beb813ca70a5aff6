"""The end of each UTC day: which days are over, how long they are kept, what is held to them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from laurel_leaderboard.domain.boards import TimePeriod

DAYS_KEPT = 400
DAY = timedelta(days=1)

# How far back a board's predecessor lies: one window; for all time, a month.
DAYS_BEFORE = {
    TimePeriod.TODAY: 1,
    TimePeriod.WEEK: 7,
    TimePeriod.MONTH: 30,
    TimePeriod.QUARTER: 90,
    TimePeriod.HALF_YEAR: 180,
    TimePeriod.ALL_TIME: 30,
}


class Standing(NamedTuple):
    """A place on a board at the end of a day; points are ten-thousandths."""

    rank: int
    score_e4: int


class HistoryPoint(NamedTuple):
    """Where an entity stood at the end of a day."""

    entity_id: int
    day: date
    standing: Standing


class HistoryPlace(NamedTuple):
    """A point's place in the order of a history: by entity, then by day."""

    entity_id: int
    day: date


class DaySpan(NamedTuple):
    """Days from `first` to `last`, both included."""

    first: date
    last: date


class BoardDay(NamedTuple):
    """A board at the end of a day: which version stood, the end of its window, its entries."""

    day: date
    number: int
    as_of: datetime
    entry_count: int


class Progress(NamedTuple):
    """The last day that is written of a preset, or the one before its oldest version."""

    preset_id: int
    last_day: date


def previous_day(period: TimePeriod, as_of: datetime) -> date:
    """The day at whose end a board stood that one with this `as_of` is compared with."""
    return as_of.astimezone(UTC).date() - timedelta(days=DAYS_BEFORE[period])


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """When a UTC day begins and when the next one does."""
    start = datetime.combine(day, time(), UTC)
    return start, start + DAY


def last_day_over(now: datetime, delay: timedelta) -> date:
    """The last day whose end is at least `delay` ago."""
    return (now - delay).astimezone(UTC).date() - DAY


def oldest_day_kept(now: datetime) -> date:
    """Days before this one are forgotten."""
    return now.astimezone(UTC).date() - timedelta(days=DAYS_KEPT)


def days_due(written: date, last: date, oldest: date) -> Iterator[date]:
    """The days to be written, in order: behind `written`, up to `last`."""
    day = max(written + DAY, oldest)
    while day <= last:
        yield day
        day += DAY
