"""The engine at the edges of its numbers: rounding, products, sums, and scores beyond storing."""

from datetime import timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel_scoring.domain import kernel
from laurel_scoring.domain.columns import total_order
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.errors import ScoreOutOfRange
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.results import shared_ranks
from laurel_scoring.domain.roster import Roster, Team
from laurel_scoring.domain.rules import DEFAULT_RULES, Multiplier, RuleSet
from laurel_scoring.domain.timeline import Timeline
from laurel_scoring.domain.vocabulary import (
    EntityType,
    MultiplierKind,
    ReviewState,
    ScopeType,
    SignalType,
)
from tests.support import naive_scoring as naive
from tests.support.naive_scoring import NaiveSignal
from tests.support.scoring_builders import AS_OF, a_signal, columns, e4

ROSTER = Roster(7, frozenset({1}), (Team(100, frozenset({1, 2, 3})),))


def evaluation(signals: list[NaiveSignal], rules: RuleSet = DEFAULT_RULES) -> Evaluation:
    windows = Windows.of_periods(to_microseconds(AS_OF))
    return Evaluation(Timeline.of(columns(signals)), ROSTER, rules, windows)


@settings(deadline=None)  # the first call compiles
@given(st.integers(-(10**11), 10**17), st.integers(0, 1_000_000))
def test_a_product_is_rounded_half_away_from_zero(a: int, b: int) -> None:
    exact = naive.mul(Fraction(a, 10_000), Fraction(b, 10_000))
    if abs(e4(exact)) < 2**63:
        product = kernel.mul(np.int64(a), np.int64(b))  # type: ignore[no-untyped-call]  # compiled
        assert product == e4(exact)


@pytest.mark.parametrize(
    ("scores", "ranks"),
    [
        pytest.param([], [], id="nobody"),
        pytest.param([5], [1], id="one"),
        pytest.param([9, 7, 7, 3], [1, 2, 2, 4], id="the-next-rank-is-skipped"),
        pytest.param([1, 1, 1, 0, 0], [1, 1, 1, 4, 4], id="two-ties"),
        pytest.param([0, -5, -5, -9], [1, 2, 2, 4], id="negative-scores"),
    ],
)
def test_equal_scores_share_a_rank(scores: list[int], ranks: list[int]) -> None:
    assert shared_ranks(np.array(scores, dtype=np.int64)).tolist() == ranks


def test_sums_of_lines_stop_where_the_column_ends() -> None:
    signals = [
        a_signal("commit", user=user, key=str(n), additions=2_000_000_000, deletions=2**31 - 1)
        for user in (1, 2)
        for n in range(3)
    ]
    for entity in (EntityType.CONTRIBUTOR, EntityType.TEAM, EntityType.REPOSITORY):
        family = evaluation(signals).family(ScopeType.ORGANIZATION, entity)
        assert set(family.additions.tolist()) == {2**31 - 1}
        assert set(family.deletions.tolist()) == {2**31 - 1}


EVERYTHING = frozenset(SignalType)
EXTREME = RuleSet(
    base_points_e4=dict.fromkeys(SignalType, 100_000_000),
    multipliers={kind: Multiplier(1_000_000, EVERYTHING) for kind in MultiplierKind},
    review_weights_e4=dict.fromkeys((ReviewState.APPROVED, ReviewState.COMMENTED), 1_000_000),
)


@pytest.mark.parametrize("type_", ["commit", "review"])
def test_a_score_that_no_column_holds_is_refused_and_never_wraps(type_: str) -> None:
    signals = [
        a_signal(
            type_,
            at=AS_OF - timedelta(weeks=n),
            value="1000",
            key=str(n),
            is_in_merged_pr=True,
            has_linked_issue=True,
            review_state="approved",
        )
        for n in range(30)
    ]
    with pytest.raises(ScoreOutOfRange):
        list(evaluation(signals, EXTREME).families())


def test_the_greatest_score_that_a_column_holds_is_kept() -> None:
    rules = RuleSet(base_points_e4={SignalType.COMMIT: 100_000_000}, weekly_threshold=10_000)
    # 9,999 times 10,000 points, and 9,999.9999 more.
    signals = [a_signal("commit", at=AS_OF, key=str(n)) for n in range(9_999)]
    signals.append(a_signal("commit", at=AS_OF, key="rest", value="0.9999"))
    family = evaluation(signals, rules).family(ScopeType.ORGANIZATION, EntityType.CONTRIBUTOR)
    assert set(family.score_e4.tolist()) == {999_999_990_000}


def test_nothing_at_all_gives_empty_boards() -> None:
    families = list(evaluation([]).families())
    assert sum(len(family) for family in families) == 6 * (3 + 2 + 2)
    assert all(len(family.entity_id) == 0 for family in families)
    assert all(family.signal_count.sum() == 0 for family in families)


def test_an_organization_without_teams_or_repositories_has_boards() -> None:
    windows = Windows.of_periods(to_microseconds(AS_OF))
    bare = Evaluation(
        Timeline.of(columns([a_signal()])), Roster(7, frozenset()), DEFAULT_RULES, windows
    )
    families = list(bare.families())
    assert [len(family) for family in families] == [6, 6, 6, 0, 0, 0, 0]


def test_signals_of_one_instant_stand_by_type_then_hash_then_user() -> None:
    signals = [
        NaiveSignal(2, 1, "commit", AS_OF, "b" * 64),
        NaiveSignal(1, 1, "review", AS_OF, "0" * 64),
        NaiveSignal(1, 1, "commit", AS_OF, "b" * 64),
        NaiveSignal(9, 1, "commit", AS_OF, "a" + "f" * 63),
        NaiveSignal(9, 1, "commit", AS_OF - timedelta(microseconds=1), "f" * 64),
    ]
    assert total_order(columns(signals)).tolist() == [4, 3, 2, 0, 1]


@pytest.mark.parametrize("digit", [0, 20, 40, 63])
def test_a_hash_is_compared_to_its_last_digit(digit: int) -> None:
    high = "5" * digit + "6" + "5" * (63 - digit)
    signals = [NaiveSignal(1, 1, "commit", AS_OF, each) for each in (high, "5" * 64)]
    assert total_order(columns(signals)).tolist() == [1, 0]


@pytest.mark.parametrize("digit", [15, 31, 47])
def test_a_digit_of_a_hash_weighs_more_than_all_after_it(digit: int) -> None:
    same, after = "5" * digit, 63 - digit
    low, high = same + "5" + "f" * after, same + "6" + "0" * after
    signals = [NaiveSignal(1, 1, "commit", AS_OF, each) for each in (high, low)]
    assert total_order(columns(signals)).tolist() == [1, 0]


def test_times_before_1970_belong_to_their_own_day_and_week() -> None:
    old = AS_OF.replace(year=1969)
    signals = [a_signal("commit", at=old, key=str(n)) for n in range(6)]
    family = evaluation(signals).family(ScopeType.ORGANIZATION, EntityType.CONTRIBUTOR)
    assert family.score_e4.tolist() == [450_000]
