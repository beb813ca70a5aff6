"""A preset's rules as one value, in whole ten-thousandths of a point."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from laurel_scoring.domain.vocabulary import MultiplierKind, ReviewState, SignalType, ZeroPointKind

DEFAULT_PRESET_NAME = "default"


K = TypeVar("K")
V = TypeVar("V")


def _frozen(values: Mapping[K, V]) -> Mapping[K, V]:
    return MappingProxyType(dict(values))


@dataclass(frozen=True)
class Multiplier:
    """A factor in ten-thousandths and the signal types that it applies to."""

    factor_e4: int
    signal_types: frozenset[SignalType]


@dataclass(frozen=True)
class RuleSet:
    """All rules of one preset. Factors, points and penalties are ten-thousandths.

    A type without base points earns none, a type without a quota has no limit, a review state
    without a weight weighs one. Penalties are zero or negative.
    """

    base_points_e4: Mapping[SignalType, int]
    multipliers: Mapping[MultiplierKind, Multiplier] = field(default_factory=dict)
    review_weights_e4: Mapping[ReviewState, int] = field(default_factory=dict)
    daily_quotas: Mapping[SignalType, int] = field(default_factory=dict)
    zero_points: frozenset[ZeroPointKind] = frozenset()
    weekly_threshold: int = 9
    decay_factor_e4: int = 1_100
    floor_fraction_e4: int = 2_000
    spam_penalty_e4: int = -120_000
    pr_closed_no_merge_penalty_e4: int = -100_000

    def __post_init__(self) -> None:
        for name in ("base_points_e4", "multipliers", "review_weights_e4", "daily_quotas"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))


DEFAULT_RULES = RuleSet(
    base_points_e4={
        SignalType.COMMIT: 100_000,
        SignalType.PR_OPEN: 0,
        SignalType.PR_MERGE: 500_000,
        SignalType.PR_CLOSE_NO_MERGE: 0,
        SignalType.ISSUE_OPEN: 100_000,
        SignalType.ISSUE_CLOSE: 100_000,
        SignalType.REVIEW: 200_000,
        SignalType.REVIEW_COMMENT: 50_000,
        SignalType.COMMENT: 30_000,
        SignalType.SPAM: 0,
    },
    multipliers={
        MultiplierKind.FIRST_ACTIVITY: Multiplier(
            15_000,
            frozenset(
                {
                    SignalType.COMMIT,
                    SignalType.PR_MERGE,
                    SignalType.REVIEW,
                    SignalType.ISSUE_OPEN,
                    SignalType.ISSUE_CLOSE,
                    SignalType.COMMENT,
                }
            ),
        ),
        MultiplierKind.MERGED_PR_COMMIT: Multiplier(12_000, frozenset({SignalType.COMMIT})),
        MultiplierKind.PR_LINKED_TO_ISSUE: Multiplier(
            11_000, frozenset({SignalType.PR_MERGE, SignalType.COMMIT})
        ),
    },
    review_weights_e4={
        ReviewState.APPROVED: 12_500,
        ReviewState.CHANGES_REQUESTED: 10_000,
        ReviewState.COMMENTED: 5_000,
    },
    daily_quotas={SignalType.COMMIT: 4, SignalType.COMMENT: 4},
    zero_points=frozenset(ZeroPointKind),
)
"""The rules that a new installation's preset `default` has."""
