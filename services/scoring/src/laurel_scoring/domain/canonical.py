"""Rules as canonical JSON: equal rules are equal text, and the text gives the rules back."""

import json
from typing import Any

from laurel_scoring.domain.rules import Multiplier, RuleSet
from laurel_scoring.domain.vocabulary import (
    MultiplierKind,
    ReviewState,
    SignalType,
    ZeroPointKind,
)


def rules_to_json(rules: RuleSet) -> str:
    """Amounts in ten-thousandths, keys sorted, no white space."""
    document = {
        "base_points_e4": {k.name.lower(): v for k, v in rules.base_points_e4.items()},
        "multipliers": {
            kind.name.lower(): {
                "factor_e4": multiplier.factor_e4,
                "signal_types": sorted(each.name.lower() for each in multiplier.signal_types),
            }
            for kind, multiplier in rules.multipliers.items()
        },
        "review_weights_e4": {k.name.lower(): v for k, v in rules.review_weights_e4.items()},
        "daily_quotas": {k.name.lower(): v for k, v in rules.daily_quotas.items()},
        "zero_points": sorted(each.name.lower() for each in rules.zero_points),
        "weekly_threshold": rules.weekly_threshold,
        "decay_factor_e4": rules.decay_factor_e4,
        "floor_fraction_e4": rules.floor_fraction_e4,
        "spam_penalty_e4": rules.spam_penalty_e4,
        "pr_closed_no_merge_penalty_e4": rules.pr_closed_no_merge_penalty_e4,
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def rules_from_json(text: str) -> RuleSet:
    """The rules that `rules_to_json` wrote; white space and order don't matter."""
    document: dict[str, Any] = json.loads(text)
    return RuleSet(
        base_points_e4=_typed(document["base_points_e4"], SignalType),
        multipliers={
            MultiplierKind[kind.upper()]: Multiplier(
                each["factor_e4"],
                frozenset(SignalType[name.upper()] for name in each["signal_types"]),
            )
            for kind, each in document["multipliers"].items()
        },
        review_weights_e4=_typed(document["review_weights_e4"], ReviewState),
        daily_quotas=_typed(document["daily_quotas"], SignalType),
        zero_points=frozenset(ZeroPointKind[each.upper()] for each in document["zero_points"]),
        weekly_threshold=document["weekly_threshold"],
        decay_factor_e4=document["decay_factor_e4"],
        floor_fraction_e4=document["floor_fraction_e4"],
        spam_penalty_e4=document["spam_penalty_e4"],
        pr_closed_no_merge_penalty_e4=document["pr_closed_no_merge_penalty_e4"],
    )


def _typed(numbers: dict[str, int], words: Any) -> dict[Any, int]:
    return {words[name.upper()]: number for name, number in numbers.items()}
