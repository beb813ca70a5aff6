"""When boards are due: before they read as stale, and `today` with its midnight."""

from datetime import UTC, datetime, timedelta

import pytest

from laurel_leaderboard.domain.boards import TimePeriod as BoardPeriod
from laurel_leaderboard.domain.freshness import AGE_LIMITS
from laurel_scoring.domain.schedule import FRESH_FOR, due_at
from laurel_scoring.domain.vocabulary import TimePeriod

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize("period", TimePeriod)
def test_boards_are_due_before_they_are_stale_by_age(period: TimePeriod) -> None:
    limit = AGE_LIMITS[BoardPeriod(period.name.lower())]
    assert FRESH_FOR[period] == limit
    assert NOON < due_at(period, NOON) <= NOON + limit - timedelta(minutes=2)


@pytest.mark.parametrize(
    ("as_of", "due"),
    [
        pytest.param(NOON, NOON + timedelta(minutes=8), id="at noon"),
        pytest.param(NOON.replace(hour=23, minute=55), NOON.replace(hour=0, day=5), id="late"),
        pytest.param(NOON.replace(hour=0), NOON.replace(hour=0, minute=8), id="at midnight"),
    ],
)
def test_today_is_due_at_midnight(as_of: datetime, due: datetime) -> None:
    assert due_at(TimePeriod.TODAY, as_of) == due
