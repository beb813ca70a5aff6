"""A rule set as lookup tables, so that the compiled pass decides by reading, not by branching."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from laurel_scoring.domain.columns import Int64s
from laurel_scoring.domain.rules import RuleSet
from laurel_scoring.domain.vocabulary import (
    ONE,
    MultiplierKind,
    Outcome,
    ReviewState,
    SignalFlag,
    SignalType,
    ZeroPointKind,
)

FLAG_SETS = 64
"""How many combinations of SignalFlag bits there are."""
NO_QUOTA = 2**62
"""More signals than a day can have."""


class RuleTables(NamedTuple):
    """What the rules say of each type, alone or with each combination of flags; all int64.

    penalty, base_points, quota (NO_QUOTA: none), first_factor: by SignalType. outcome (EARNED, or
    why nothing is earned), merged_factor, linked_factor: by type x 64 + flags. review_weight: by
    type x 4 + ReviewState. weekly: threshold, decay factor, floor fraction. A factor that does
    not apply is 10,000, by which multiplying changes nothing.
    """

    penalty: Int64s
    base_points: Int64s
    quota: Int64s
    outcome: Int64s
    first_factor: Int64s
    merged_factor: Int64s
    linked_factor: Int64s
    review_weight: Int64s
    weekly: Int64s

    @classmethod
    def of(cls, rules: RuleSet) -> "RuleTables":
        """Lays `rules` out."""
        penalties = {
            SignalType.SPAM: rules.spam_penalty_e4,
            SignalType.PR_CLOSE_NO_MERGE: rules.pr_closed_no_merge_penalty_e4,
        }
        return cls(
            penalty=_vector(penalties.get(kind, 0) for kind in SignalType),
            base_points=_vector(rules.base_points_e4.get(kind, 0) for kind in SignalType),
            quota=_vector(rules.daily_quotas.get(kind, NO_QUOTA) for kind in SignalType),
            outcome=_vector(
                zero_points(kind, SignalFlag(flags), rules.zero_points)
                for kind in SignalType
                for flags in range(FLAG_SETS)
            ),
            first_factor=_vector(
                _factor(rules, MultiplierKind.FIRST_ACTIVITY, kind) for kind in SignalType
            ),
            merged_factor=_flagged(
                rules, MultiplierKind.MERGED_PR_COMMIT, SignalFlag.IS_IN_MERGED_PR
            ),
            linked_factor=_flagged(
                rules, MultiplierKind.PR_LINKED_TO_ISSUE, SignalFlag.HAS_LINKED_ISSUE
            ),
            review_weight=_vector(
                _weight(rules, kind, state) for kind in SignalType for state in ReviewState
            ),
            weekly=_vector(
                (rules.weekly_threshold, rules.decay_factor_e4, rules.floor_fraction_e4)
            ),
        )


def zero_points(
    kind: SignalType, flags: SignalFlag, conditions: frozenset[ZeroPointKind]
) -> Outcome:
    """Step 3: why a signal of this type with these flags earns nothing; EARNED if it may."""
    reviews = kind in (SignalType.REVIEW, SignalType.REVIEW_COMMENT)
    closes_without_pr = kind is SignalType.ISSUE_CLOSE and SignalFlag.HAS_LINKED_PR not in flags
    met = {
        ZeroPointKind.SELF_REVIEW: reviews and SignalFlag.IS_SELF_REVIEW in flags,
        ZeroPointKind.SELF_MERGE: kind is SignalType.PR_MERGE and SignalFlag.IS_SELF_MERGE in flags,
        ZeroPointKind.ISSUE_CLOSED_NO_PR: closes_without_pr,
        ZeroPointKind.PR_CLOSED_NO_MERGE: kind is SignalType.PR_CLOSE_NO_MERGE,
    }
    for condition, holds in met.items():
        if holds and condition in conditions:
            return Outcome[condition.name]
    return Outcome.PENALTY_ONLY if kind is SignalType.SPAM else Outcome.EARNED


def _factor(rules: RuleSet, kind: MultiplierKind, signal_type: SignalType) -> int:
    multiplier = rules.multipliers.get(kind)
    if multiplier is None or signal_type not in multiplier.signal_types:
        return ONE
    return multiplier.factor_e4


def _flagged(rules: RuleSet, kind: MultiplierKind, flag: SignalFlag) -> Int64s:
    return _vector(
        _factor(rules, kind, signal_type) if flags & flag else ONE
        for signal_type in SignalType
        for flags in range(FLAG_SETS)
    )


def _weight(rules: RuleSet, kind: SignalType, state: ReviewState) -> int:
    if kind is not SignalType.REVIEW or state is ReviewState.NONE:
        return ONE
    return rules.review_weights_e4.get(state, ONE)


def _vector(numbers: Iterable[int]) -> Int64s:
    return np.array([int(number) for number in numbers], dtype=np.int64)
