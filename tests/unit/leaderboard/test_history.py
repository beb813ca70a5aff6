"""Days of history: which are due, which are forgotten, and which one a board is compared with."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_leaderboard.domain.boards import TimePeriod
from laurel_leaderboard.domain.history import (
    day_bounds,
    days_due,
    last_day_over,
    oldest_day_kept,
    previous_day,
)

DELAY = timedelta(minutes=6)
INSTANTS = st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (TimePeriod.TODAY, date(2026, 1, 14)),
        (TimePeriod.WEEK, date(2026, 1, 8)),
        (TimePeriod.MONTH, date(2025, 12, 16)),
        (TimePeriod.QUARTER, date(2025, 10, 17)),
        (TimePeriod.HALF_YEAR, date(2025, 7, 19)),
        (TimePeriod.ALL_TIME, date(2025, 12, 16)),
    ],
)
def test_a_board_is_compared_with_the_day_one_period_before(
    period: TimePeriod, expected: date
) -> None:
    assert previous_day(period, datetime(2026, 1, 15, 23, 59, 59, tzinfo=UTC)) == expected


def test_the_day_of_an_instant_is_the_one_in_utc() -> None:
    west = datetime.fromisoformat("2026-01-15T20:00:00-05:00")
    assert previous_day(TimePeriod.TODAY, west) == date(2026, 1, 15)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 1, 15, 0, 5, 59, 999999, tzinfo=UTC), date(2026, 1, 13)),
        (datetime(2026, 1, 15, 0, 6, tzinfo=UTC), date(2026, 1, 14)),
        (datetime(2026, 1, 15, 23, 59, tzinfo=UTC), date(2026, 1, 14)),
    ],
)
def test_a_day_is_over_when_the_publishes_that_began_in_it_have_ended(
    now: datetime, expected: date
) -> None:
    assert last_day_over(now, DELAY) == expected


@given(INSTANTS, st.integers(min_value=0, max_value=900))
def test_due_days_follow_each_other_and_are_kept(now: datetime, behind: int) -> None:
    last, oldest = last_day_over(now, DELAY), oldest_day_kept(now)
    due = list(days_due(last - timedelta(days=behind), last, oldest))
    assert len(due) == min(behind, (last - oldest).days + 1)
    assert due == [last - timedelta(days=n) for n in reversed(range(len(due)))]
    assert all(day_bounds(day)[1] <= now for day in due)


def test_a_day_ends_where_the_next_one_begins() -> None:
    day = date(2026, 1, 15)
    assert day_bounds(day)[1] == day_bounds(day + timedelta(days=1))[0]
