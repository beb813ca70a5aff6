"""From one rule set to another, a changed rule at a time, in the order in which rules apply."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import IntEnum
from typing import Any

from laurel_scoring.domain.rules import RuleSet
from laurel_scoring.domain.vocabulary import ZeroPointKind

# The steps of one signal, by the attribute of RuleSet and the field of preset.proto.
_STEPS = (
    ("spam_penalty_e4", "spam_penalty_e4"),
    ("pr_closed_no_merge_penalty_e4", "pr_closed_no_merge_penalty_e4"),
    ("zero_points", "zero_point_conditions"),
    ("base_points_e4", "base_points"),
    ("daily_quotas", "daily_quotas"),
    ("weekly_threshold", "weekly_threshold"),
    ("decay_factor_e4", "decay_factor_e4"),
    ("floor_fraction_e4", "floor_fraction_e4"),
    ("multipliers", "multipliers"),
    ("review_weights_e4", "review_state_weights"),
)


def steps_between(current: RuleSet, candidate: RuleSet) -> Iterator[tuple[str, RuleSet]]:
    """(field, the rules once it is changed too) of each changed rule; the last is `candidate`.

    Bots come first, as they count nowhere. Fields are named as in rule_checks.
    """
    rules = current
    bots = ZeroPointKind.BOT_ACTIVITY
    if (bots in current.zero_points) != (bots in candidate.zero_points):
        rules = replace(rules, zero_points=rules.zero_points ^ {bots})
        yield _field("zero_point_conditions", bots), rules
    for attribute, field in _STEPS:
        now, then = getattr(rules, attribute), getattr(candidate, attribute)
        if isinstance(then, Mapping):
            for kind in sorted(now.keys() | then.keys()):
                if now.get(kind) != then.get(kind):
                    changed: dict[str, Any] = {
                        attribute: _with(getattr(rules, attribute), kind, then)
                    }
                    rules = replace(rules, **changed)
                    yield _field(field, kind), rules
        elif isinstance(then, frozenset):
            for kind in sorted(now ^ then):
                conditions = getattr(rules, attribute) ^ {kind}
                rules = replace(rules, **{attribute: conditions})
                yield _field(field, kind), rules
        elif now != then:
            rules = replace(rules, **{attribute: then})
            yield f"rules.{field}", rules


def _field(name: str, kind: IntEnum) -> str:
    return f"rules.{name}[{kind.name.lower()}]"


def _with(values: Mapping[Any, Any], kind: Any, then: Mapping[Any, Any]) -> dict[Any, Any]:
    """`values` with what `then` says of `kind`, which may be nothing."""
    others = {each: value for each, value in values.items() if each != kind}
    return others | ({kind: then[kind]} if kind in then else {})
