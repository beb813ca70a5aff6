"""A rule set is checked as a whole, and every fault is named."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from laurel_scoring.domain.canonical import rules_from_json, rules_to_json
from laurel_scoring.domain.rule_checks import check_rules
from laurel_scoring.domain.rules import DEFAULT_RULES, Multiplier
from laurel_scoring.domain.vocabulary import (
    MultiplierKind,
    ReviewState,
    SignalType,
    ZeroPointKind,
)
from tests.support import scoring_strategies as generated
from tests.support.naive_scoring import NaiveRules
from tests.support.scoring_builders import rule_set

COMMITS = {SignalType.COMMIT: 100_000}


def test_the_default_rules_have_no_fault() -> None:
    assert check_rules(DEFAULT_RULES) == ()


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        pytest.param(
            {
                "base_points_e4": dict(DEFAULT_RULES.base_points_e4)
                | {SignalType.COMMIT: 100_000_001}
            },
            ["rules.base_points[commit].points_e4"],
            id="base-points-too-high",
        ),
        pytest.param(
            {"base_points_e4": dict(DEFAULT_RULES.base_points_e4) | {SignalType.PR_OPEN: -1}},
            ["rules.base_points[pr_open].points_e4"],
            id="base-points-negative",
        ),
        pytest.param(
            {"base_points_e4": dict(DEFAULT_RULES.base_points_e4) | {SignalType.SPAM: 1}},
            ["rules.base_points[spam].points_e4"],
            id="spam-never-earns",
        ),
        pytest.param(
            {
                "base_points_e4": dict(DEFAULT_RULES.base_points_e4)
                | {SignalType.PR_CLOSE_NO_MERGE: 1}
            },
            ["rules.base_points[pr_close_no_merge].points_e4"],
            id="condition-shuts-the-type-out",
        ),
        pytest.param(
            {
                "base_points_e4": dict(DEFAULT_RULES.base_points_e4)
                | {SignalType.PR_CLOSE_NO_MERGE: 1},
                "zero_points": DEFAULT_RULES.zero_points - {ZeroPointKind.PR_CLOSED_NO_MERGE},
            },
            [],
            id="condition-off-lets-the-type-earn",
        ),
        pytest.param(
            {
                "multipliers": {
                    MultiplierKind.FIRST_ACTIVITY: Multiplier(0, frozenset({SignalType.COMMIT})),
                    MultiplierKind.MERGED_PR_COMMIT: Multiplier(
                        1_000_001, frozenset({SignalType.COMMIT})
                    ),
                }
            },
            [
                "rules.multipliers[first_activity].factor_e4",
                "rules.multipliers[merged_pr_commit].factor_e4",
            ],
            id="factors-out-of-bounds",
        ),
        pytest.param(
            {
                "multipliers": {
                    MultiplierKind.FIRST_ACTIVITY: Multiplier(
                        20_000, frozenset({SignalType.PR_OPEN, SignalType.SPAM})
                    ),
                    MultiplierKind.MERGED_PR_COMMIT: Multiplier(20_000, frozenset()),
                }
            },
            [
                "rules.multipliers[first_activity].signal_types",
                "rules.multipliers[merged_pr_commit].signal_types",
            ],
            id="multipliers-that-never-fire",
        ),
        pytest.param(
            {"review_weights_e4": {ReviewState.APPROVED: 1_000_001, ReviewState.COMMENTED: -1}},
            [
                "rules.review_state_weights[approved].weight_e4",
                "rules.review_state_weights[commented].weight_e4",
            ],
            id="weights-out-of-bounds",
        ),
        pytest.param(
            {"daily_quotas": {SignalType.PR_OPEN: 1}},
            ["rules.daily_quotas[pr_open].max_signals"],
            id="quota-on-a-type-without-points",
        ),
        pytest.param(
            {"daily_quotas": {SignalType.COMMIT: 10_001, SignalType.COMMENT: -1}},
            ["rules.daily_quotas[commit].max_signals", "rules.daily_quotas[comment].max_signals"],
            id="quotas-out-of-bounds",
        ),
        pytest.param(
            {
                "weekly_threshold": 10_001,
                "decay_factor_e4": 10_001,
                "floor_fraction_e4": -1,
                "spam_penalty_e4": 1,
                "pr_closed_no_merge_penalty_e4": -100_000_001,
            },
            [
                "rules.weekly_threshold",
                "rules.decay_factor_e4",
                "rules.floor_fraction_e4",
                "rules.spam_penalty_e4",
                "rules.pr_closed_no_merge_penalty_e4",
            ],
            id="every-scalar-at-once",
        ),
        pytest.param(
            {"base_points_e4": COMMITS, "multipliers": {}, "daily_quotas": {}},
            [
                "rules.review_state_weights[approved].weight_e4",
                "rules.review_state_weights[changes_requested].weight_e4",
                "rules.review_state_weights[commented].weight_e4",
            ],
            id="weights-without-points-for-reviews",
        ),
    ],
)
def test_each_fault_is_named_by_its_field(changes: dict[str, Any], fields: list[str]) -> None:
    faults = check_rules(replace(DEFAULT_RULES, **changes))
    assert [fault.field for fault in faults] == fields


@settings(deadline=None)
@given(rules=generated.rules())
def test_rules_survive_their_canonical_form(rules: NaiveRules) -> None:
    engine_rules = rule_set(rules)
    assert rules_from_json(rules_to_json(engine_rules)) == engine_rules
    assert rules_to_json(rules_from_json(rules_to_json(engine_rules))) == rules_to_json(
        engine_rules
    )
