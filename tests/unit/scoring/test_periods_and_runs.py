"""Windows as pure functions of as_of, and when another attempt is made."""

from datetime import UTC, datetime, timedelta

import pytest

from laurel_common.errors import DependencyUnavailable, InstallationNotFound
from laurel_scoring.domain.errors import ScoreOutOfRange
from laurel_scoring.domain.periods import (
    BEGINNING,
    Windows,
    from_microseconds,
    period_start,
    to_microseconds,
)
from laurel_scoring.domain.runs import MAX_ATTEMPTS, pause_before, reason_of, worth_retrying
from laurel_scoring.domain.vocabulary import TimePeriod

AS_OF = datetime(2026, 3, 4, 15, 30, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "start"),
    [
        (TimePeriod.TODAY, datetime(2026, 3, 4, tzinfo=UTC)),
        (TimePeriod.WEEK, AS_OF - timedelta(days=7)),
        (TimePeriod.MONTH, AS_OF - timedelta(days=30)),
        (TimePeriod.QUARTER, AS_OF - timedelta(days=90)),
        (TimePeriod.HALF_YEAR, AS_OF - timedelta(days=180)),
    ],
    ids=lambda value: value.name.lower() if isinstance(value, TimePeriod) else "",
)
def test_a_period_begins_to_the_microsecond(period: TimePeriod, start: datetime) -> None:
    assert from_microseconds(period_start(period, to_microseconds(AS_OF))) == start


def test_all_time_has_no_beginning() -> None:
    assert period_start(TimePeriod.ALL_TIME, to_microseconds(AS_OF)) == BEGINNING


def test_windows_stand_widest_first() -> None:
    windows = Windows.of_periods(to_microseconds(AS_OF))
    assert list(windows.starts) == sorted(windows.starts)
    assert windows.periods[0] is TimePeriod.ALL_TIME
    assert windows.periods[-1] is TimePeriod.TODAY


def test_a_range_leaves_its_end_out() -> None:
    assert (Windows.of_range(5, 9).starts, Windows.of_range(5, 9).last) == ((5,), 8)


def test_pauses_double_up_to_a_minute() -> None:
    pauses = [pause_before(attempt).total_seconds() for attempt in range(2, 11)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize(
    ("error", "attempts", "again", "reason"),
    [
        pytest.param(DependencyUnavailable(), 1, True, "DEPENDENCY_UNAVAILABLE", id="away"),
        pytest.param(
            DependencyUnavailable(), MAX_ATTEMPTS, False, "DEPENDENCY_UNAVAILABLE", id="too-often"
        ),
        pytest.param(InstallationNotFound(), 1, False, "INSTALLATION_NOT_FOUND", id="gone"),
        pytest.param(ScoreOutOfRange(), 1, False, "SCORE_OUT_OF_RANGE", id="beyond-storing"),
        pytest.param(ValueError("a fault"), 1, True, "INTERNAL", id="a-fault-of-ours"),
    ],
)
def test_an_attempt_is_repeated_where_another_may_end_otherwise(
    error: Exception, attempts: int, again: bool, reason: str
) -> None:
    assert worth_retrying(error, attempts) is again
    assert reason_of(error) == reason
