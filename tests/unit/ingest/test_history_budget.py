"""What history may spend of an hour's points."""

from datetime import UTC, datetime, timedelta

import pytest

from laurel_ingest.domain.history.budget import Budget

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
RESET = NOW + timedelta(minutes=20)


@pytest.mark.parametrize(
    ("budget", "until"),
    [
        pytest.param(Budget(), None, id="nothing is known yet"),
        pytest.param(Budget(5000, 501, RESET), None, id="more than the share that is kept back"),
        pytest.param(Budget(5000, 500, RESET), RESET, id="what is left is kept for webhooks"),
        pytest.param(Budget(5000, 0, NOW), None, id="the hour is over"),
        pytest.param(
            Budget(5000, 4000, RESET, NOW + timedelta(seconds=9)),
            NOW + timedelta(seconds=9),
            id="GitHub asked for silence",
        ),
        pytest.param(Budget(5000, 4000, RESET, NOW), None, id="the silence is over"),
    ],
)
def test_history_waits_until(budget: Budget, until: datetime | None) -> None:
    assert budget.wait_until(NOW) == until


def test_answers_that_overtake_each_other_leave_the_lower_count() -> None:
    budget = Budget().told(5000, 90, RESET).told(5000, 95, RESET)
    assert budget.remaining == 90
    assert budget.told(5000, 4999, RESET + timedelta(hours=1)).remaining == 4999


def test_a_longer_silence_stands() -> None:
    budget = Budget().blocked(RESET).blocked(NOW)
    assert budget.wait_until(NOW) == RESET
