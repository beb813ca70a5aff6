"""Which boards time alone can have changed: those of whoever crossed the edge of a window."""

from datetime import datetime, timedelta

import pytest

from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.touched import crossed
from tests.support.scoring_builders import AS_OF, a_signal, columns

# An hour of the same day later.
LATER = AS_OF + timedelta(hours=1)
INSTANT = timedelta(microseconds=1)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("at", "crosses"),
    [
        pytest.param(AS_OF, False, id="it-had-come-by-then"),
        pytest.param(AS_OF + INSTANT, True, id="it-was-to-come-next"),
        pytest.param(LATER, True, id="it-comes-now"),
        pytest.param(LATER + INSTANT, False, id="it-is-still-to-come"),
        pytest.param(AS_OF - WEEK - INSTANT, False, id="the-week-had-lost-it"),
        pytest.param(AS_OF - WEEK, True, id="the-week-loses-it-first"),
        pytest.param(LATER - WEEK - INSTANT, True, id="the-week-loses-it-last"),
        pytest.param(LATER - WEEK, False, id="the-week-still-has-it"),
        pytest.param(AS_OF - timedelta(days=180), True, id="the-half-year-loses-it"),
        pytest.param(AS_OF - timedelta(days=200), False, id="it-has-been-all-times-alone"),
    ],
)
def test_whoever_enters_or_leaves_a_window_is_touched(at: datetime, crosses: bool) -> None:
    then, now = (Windows.of_periods(to_microseconds(moment)) for moment in (AS_OF, LATER))
    touched = crossed(columns([a_signal(at=at, user=3, repository=11)]), then, now)
    pairs = list(zip(touched.users.tolist(), touched.repositories.tolist(), strict=True))
    assert pairs == ([(3, 11)] if crosses else [])


def test_midnight_takes_all_that_today_had() -> None:
    midnight = AS_OF.replace(hour=0, minute=0)
    then, now = (
        Windows.of_periods(to_microseconds(moment)) for moment in (AS_OF, AS_OF + timedelta(days=1))
    )
    signals = [
        a_signal(at=midnight - INSTANT, user=1),
        a_signal(at=midnight, user=2),
        a_signal(at=AS_OF, user=3),
    ]
    assert crossed(columns(signals), then, now).users.tolist() == [2, 3]
