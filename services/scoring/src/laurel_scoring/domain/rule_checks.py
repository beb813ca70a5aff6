"""Checks a rule set as a whole: bounds, and rules that could never fire; every fault is named."""

from collections.abc import Iterator

from laurel_common.errors import Violation
from laurel_scoring.domain.rules import RuleSet
from laurel_scoring.domain.vocabulary import (
    ONE,
    ReviewState,
    SignalType,
    ZeroPointKind,
)

MOST_POINTS_E4 = 10_000 * ONE
MOST_FACTOR_E4 = 100 * ONE
MOST_SIGNALS = 10_000


def check_rules(rules: RuleSet) -> tuple[Violation, ...]:
    """Everything that is wrong with `rules`, by field; empty where nothing is.

    Fields are named as in preset.proto, list entries by what they are for:
    `rules.base_points[commit].points_e4`.
    """
    return (
        *_scalars(rules),
        *_base_points(rules),
        *_multipliers(rules),
        *_weights(rules),
        *_quotas(rules),
    )


def earning_types(rules: RuleSet) -> frozenset[SignalType]:
    """The types that can earn points by these rules."""
    unearning = {SignalType.SPAM}
    if ZeroPointKind.PR_CLOSED_NO_MERGE in rules.zero_points:
        unearning.add(SignalType.PR_CLOSE_NO_MERGE)
    return frozenset(
        kind for kind, points in rules.base_points_e4.items() if points > 0
    ) - frozenset(unearning)


def _scalars(rules: RuleSet) -> Iterator[Violation]:
    bounds = {
        "weekly_threshold": (rules.weekly_threshold, 0, MOST_SIGNALS, 1),
        "decay_factor_e4": (rules.decay_factor_e4, 0, ONE, ONE),
        "floor_fraction_e4": (rules.floor_fraction_e4, 0, ONE, ONE),
        "spam_penalty_e4": (rules.spam_penalty_e4, -MOST_POINTS_E4, 0, ONE),
        "pr_closed_no_merge_penalty_e4": (
            rules.pr_closed_no_merge_penalty_e4,
            -MOST_POINTS_E4,
            0,
            ONE,
        ),
    }
    for name, (value, least, most, unit) in bounds.items():
        yield from _within(f"rules.{name}", value, least, most, unit)


def _base_points(rules: RuleSet) -> Iterator[Violation]:
    for kind, points in sorted(rules.base_points_e4.items()):
        field = f"rules.base_points[{kind.name.lower()}].points_e4"
        yield from _within(field, points, 0, MOST_POINTS_E4, ONE)
        if points <= 0:
            continue
        if kind is SignalType.SPAM:
            yield Violation(field, "spam never earns points")
        elif kind not in earning_types(rules):
            yield Violation(
                field, "never earned while the zero-point condition pr_closed_no_merge is on"
            )


def _multipliers(rules: RuleSet) -> Iterator[Violation]:
    for kind, multiplier in sorted(rules.multipliers.items()):
        field = f"rules.multipliers[{kind.name.lower()}]"
        yield from _within(f"{field}.factor_e4", multiplier.factor_e4, 1, MOST_FACTOR_E4, ONE)
        if not multiplier.signal_types & earning_types(rules):
            yield Violation(f"{field}.signal_types", "names no signal type that can earn points")


def _weights(rules: RuleSet) -> Iterator[Violation]:
    for state, weight in sorted(rules.review_weights_e4.items()):
        field = f"rules.review_state_weights[{state.name.lower()}].weight_e4"
        yield from _within(field, weight, 0, MOST_FACTOR_E4, ONE)
        if state is ReviewState.NONE:
            yield Violation(field, "a review without a state always weighs 1")
        elif SignalType.REVIEW not in earning_types(rules):
            yield Violation(field, "reviews have no base points to weigh")


def _quotas(rules: RuleSet) -> Iterator[Violation]:
    for kind, limit in sorted(rules.daily_quotas.items()):
        field = f"rules.daily_quotas[{kind.name.lower()}].max_signals"
        yield from _within(field, limit, 0, MOST_SIGNALS, 1)
        if kind not in earning_types(rules):
            yield Violation(field, "a type that earns no points needs no quota")


def _within(field: str, value: int, least: int, most: int, unit: int) -> Iterator[Violation]:
    if not least <= value <= most:
        low, high = (f"{bound / unit:g}" for bound in (least, most))
        yield Violation(field, f"must be at least {low} and at most {high}")
