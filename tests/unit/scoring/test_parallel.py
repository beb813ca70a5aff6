"""Work that is split between cores: every item once, failures seen, the same boards."""

from datetime import timedelta

import numpy as np
import pytest

from laurel_scoring.domain import parallel
from laurel_scoring.domain.digests import board_digests
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.parallel import in_parts
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.roster import Roster, Team
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.domain.timeline import Timeline
from tests.support.naive_scoring import TYPES
from tests.support.scoring_builders import AS_OF, a_signal, columns


@pytest.fixture
def three_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_CORES", 3)
    monkeypatch.setattr(parallel, "_LEAST", 1)


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [
        pytest.param([], 1, id="nothing"),
        pytest.param([5], 2, id="one-item"),
        pytest.param([1, 1, 1, 1, 1, 1], 3, id="equal-items"),
        pytest.param([100, 1, 1], 3, id="the-first-is-nearly-all"),
        pytest.param([0, 0, 0, 9], 2, id="empty-ones-first"),
    ],
)
@pytest.mark.usefixtures("three_cores")
def test_every_item_is_worked_on_once(sizes: list[int], parts: int) -> None:
    seen: list[tuple[int, int]] = []
    begins = np.concatenate([[7], 7 + np.cumsum(sizes)]).astype(np.int64)
    in_parts(lambda first, end: seen.append((first, end)), begins)
    items = [item for first, end in sorted(seen) for item in range(first, end)]
    assert items == list(range(len(sizes)))
    assert len(seen) <= parts


@pytest.mark.usefixtures("three_cores")
def test_a_failure_in_any_part_is_the_callers() -> None:
    def fail_at_the_end(_: int, end: int) -> None:
        if end == 9:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        in_parts(fail_at_the_end, np.arange(10))


def test_boards_are_the_same_however_many_cores_made_them(monkeypatch: pytest.MonkeyPatch) -> None:
    signals = [
        a_signal(
            TYPES[n % len(TYPES)],
            at=AS_OF - timedelta(hours=n % 97),
            user=1 + n % 7,
            repository=10 + n % 3,
            key=str(n),
        )
        for n in range(300)
    ]
    teams = (Team(100, frozenset({1, 2})), Team(101, frozenset({2, 3}), frozenset({10, 12})))
    roster = Roster(7, frozenset({10, 11, 12}), teams)
    windows = Windows.of_periods(to_microseconds(AS_OF))

    def boards() -> list[bytes]:
        evaluation = Evaluation(Timeline.of(columns(signals)), roster, DEFAULT_RULES, windows)
        return [digest for each in evaluation.families() for digest in board_digests(each, "")]

    alone = boards()
    monkeypatch.setattr(parallel, "_CORES", 3)
    monkeypatch.setattr(parallel, "_LEAST", 1)
    assert boards() == alone
