"""The engine at the edges of its numbers: rounding, products, sums, and scores beyond storing."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel_scoring.domain import kernel
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.errors import ScoreOutOfRange
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.results import places
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
from tests.support.scoring_builders import (
    AS_OF,
    NAIVE_DEFAULT_RULES,
    a_signal,
    columns,
    e4,
    rule_set,
)

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
    ("scores", "order", "ranks"),
    [
        pytest.param([], [], [], id="nobody"),
        pytest.param([5], [0], [1], id="one"),
        pytest.param([7, 9, 3, 7], [1, 0, 3, 2], [1, 2, 2, 4], id="the-next-rank-is-skipped"),
        pytest.param([1, 0, 1, 0, 1], [0, 2, 4, 1, 3], [1, 1, 1, 4, 4], id="two-ties"),
        pytest.param([-5, -9, 0, -5], [2, 0, 3, 1], [1, 2, 2, 4], id="negative-scores"),
    ],
)
def test_equal_scores_share_a_rank_in_the_order_of_their_rows(
    scores: list[int], order: list[int], ranks: list[int]
) -> None:
    # Two boards of the same scores: the second one's rows follow the first one's.
    twice = np.array(scores * 2, dtype=np.int64)
    size = len(scores)
    placed, shared = places(twice, np.array([0, size, 2 * size], dtype=np.int64))
    assert placed.tolist() == order + [size + row for row in order]
    assert shared.tolist() == ranks * 2


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


def test_times_before_1970_belong_to_their_own_day_and_week() -> None:
    old = AS_OF.replace(year=1969)
    signals = [a_signal("commit", at=old, key=str(n)) for n in range(6)]
    family = evaluation(signals).family(ScopeType.ORGANIZATION, EntityType.CONTRIBUTOR)
    assert family.score_e4.tolist() == [450_000]


def test_a_week_far_over_its_threshold_counts_ever_less() -> None:
    # A ten-thousandth less each time: further than the price list goes.
    rules = replace(
        NAIVE_DEFAULT_RULES, weekly_threshold=0, decay_factor=Fraction(1, 10_000), daily_quotas={}
    )
    signals = [a_signal("commit", at=AS_OF, key=str(n)) for n in range(3 * kernel.MOST_OVER)]
    family = evaluation(signals, rule_set(rules)).family(
        ScopeType.ORGANIZATION, EntityType.CONTRIBUTOR
    )
    expected = naive.evaluate(signals, rules, frozenset(), mode="contributor")
    assert set(family.score_e4.tolist()) == {e4(expected[1].score)}


@pytest.mark.parametrize("year", [1, 1969, 9999])
def test_what_a_signal_says_is_kept_whole_at_the_ends_of_its_ranges(year: int) -> None:
    at, most = AS_OF.replace(year=year), 2**31 - 1
    signals = [
        a_signal("commit", at=at, key=str(n), value="1000", additions=most, deletions=most)
        for n in range(6)
    ]
    windows = Windows.of_range(to_microseconds(at), to_microseconds(at) + 1)
    alone = Evaluation(Timeline.of(columns(signals)), ROSTER, DEFAULT_RULES, windows)
    family = alone.family(ScopeType.ORGANIZATION, EntityType.CONTRIBUTOR)
    expected = naive.evaluate(signals, NAIVE_DEFAULT_RULES, frozenset(), mode="contributor")
    assert family.score_e4.tolist() == [e4(expected[1].score)]
    assert (family.additions[0], family.deletions[0]) == (most, most)
