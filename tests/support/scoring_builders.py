"""Builders for the scoring tests: plain signals, rules and rosters, and their columnar twins."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from hashlib import sha256
from typing import Any

import numpy as np

from laurel_scoring.domain.columns import Signals
from laurel_scoring.domain.periods import to_microseconds
from laurel_scoring.domain.rules import Multiplier, RuleSet
from laurel_scoring.domain.vocabulary import (
    MultiplierKind,
    ReviewState,
    SignalFlag,
    SignalType,
    ZeroPointKind,
)
from tests.support.naive_scoring import NaiveRules, NaiveSignal

AS_OF = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)


def a_signal(
    type: str = "commit",  # noqa: A002  # the column's name
    *,
    at: datetime = AS_OF,
    user: int = 1,
    repository: int = 1,
    value: str = "1",
    key: str = "",
    **metadata: object,
) -> NaiveSignal:
    """A signal with defaults; what `key` says makes its content hash its own."""
    content = sha256(f"{type}|{repository}|{user}|{at.isoformat()}|{key}".encode()).hexdigest()
    return NaiveSignal(user, repository, type, at, content, Fraction(value), metadata)


def columns(signals: Sequence[NaiveSignal]) -> Signals:
    """The same signals as columns, in the same order."""
    users, user = np.unique([each.user_id for each in signals], return_inverse=True)
    repositories, repository = np.unique(
        [each.repository_id for each in signals], return_inverse=True
    )
    hashes = b"".join(bytes.fromhex(each.content_hash) for each in signals)
    return Signals(
        event_timestamp=_array([to_microseconds(each.event_timestamp) for each in signals], "i8"),
        type=_array([SignalType[each.type.upper()] for each in signals], "u1"),
        user=user.astype(np.int32),
        repository=repository.astype(np.int32),
        value_e4=_array([int(each.value * 10_000) for each in signals], "i4"),
        flags=_array([_flags(each) for each in signals], "u2"),
        review_state=_array([_state(each) for each in signals], "u1"),
        additions=_array([each.number("additions") for each in signals], "i4"),
        deletions=_array([each.number("deletions") for each in signals], "i4"),
        content_hash=np.frombuffer(hashes, dtype=np.uint8).reshape(-1, 32),
        users=users.astype(np.int64),
        repositories=repositories.astype(np.int64),
    )


def _array(values: Iterable[int], kind: str) -> Any:
    return np.array(list(values), dtype=kind)


def _flags(signal: NaiveSignal) -> int:
    return sum(flag for flag in SignalFlag if signal.flag((flag.name or "").lower()))


def _state(signal: NaiveSignal) -> int:
    state = str(signal.metadata.get("review_state", "none")).upper()
    return ReviewState[state] if state in ReviewState.__members__ else ReviewState.NONE


def e4(points: Fraction) -> int:
    """Ten-thousandths; the points have four decimals at most."""
    assert (points * 10_000).denominator == 1
    return int(points * 10_000)


def rule_set(rules: NaiveRules) -> RuleSet:
    """The engine's form of plain rules."""
    return RuleSet(
        base_points_e4={SignalType[k.upper()]: e4(v) for k, v in rules.base_points.items()},
        multipliers={
            MultiplierKind[kind.upper()]: Multiplier(
                e4(factor), frozenset(SignalType[each.upper()] for each in types)
            )
            for kind, (factor, types) in rules.multipliers.items()
        },
        review_weights_e4={
            ReviewState[k.upper()]: e4(v) for k, v in rules.review_state_weights.items()
        },
        daily_quotas={SignalType[k.upper()]: v for k, v in rules.daily_quotas.items()},
        zero_points=frozenset(ZeroPointKind[k.upper()] for k in rules.zero_point_conditions),
        weekly_threshold=rules.weekly_threshold,
        decay_factor_e4=e4(rules.decay_factor),
        floor_fraction_e4=e4(rules.floor_fraction),
        spam_penalty_e4=e4(rules.spam_penalty),
        pr_closed_no_merge_penalty_e4=e4(rules.pr_closed_no_merge_penalty),
    )


def naive_rules(document: Mapping[str, Any]) -> NaiveRules:
    """Rules from the form that the golden cases write them in."""

    def exact(number: object) -> Fraction:
        return Fraction(str(number))

    return NaiveRules(
        base_points={k: exact(v) for k, v in document["base_points"].items()},
        multipliers={
            each["kind"]: (exact(each["factor"]), frozenset(each["signal_types"]))
            for each in document["multipliers"]
        },
        review_state_weights={k: exact(v) for k, v in document["review_state_weights"].items()},
        daily_quotas=dict(document["daily_quotas"]),
        zero_point_conditions=frozenset(document["zero_point_conditions"]),
        weekly_threshold=document["weekly_threshold"],
        decay_factor=exact(document["decay_factor"]),
        floor_fraction=exact(document["floor_fraction"]),
        spam_penalty=exact(document["spam_penalty"]),
        pr_closed_no_merge_penalty=exact(document["pr_closed_no_merge_penalty"]),
    )


NAIVE_DEFAULT_RULES = naive_rules(
    {
        "base_points": {
            "commit": 10,
            "pr_open": 0,
            "pr_merge": 50,
            "pr_close_no_merge": 0,
            "issue_open": 10,
            "issue_close": 10,
            "review": 20,
            "review_comment": 5,
            "comment": 3,
            "spam": 0,
        },
        "multipliers": [
            {
                "kind": "first_activity",
                "factor": 1.5,
                "signal_types": [
                    "commit",
                    "pr_merge",
                    "review",
                    "issue_open",
                    "issue_close",
                    "comment",
                ],
            },
            {"kind": "merged_pr_commit", "factor": 1.2, "signal_types": ["commit"]},
            {"kind": "pr_linked_to_issue", "factor": 1.1, "signal_types": ["pr_merge", "commit"]},
        ],
        "review_state_weights": {"approved": 1.25, "changes_requested": 1.0, "commented": 0.5},
        "daily_quotas": {"commit": 4, "comment": 4},
        "zero_point_conditions": [
            "self_review",
            "self_merge",
            "bot_activity",
            "issue_closed_no_pr",
            "pr_closed_no_merge",
        ],
        "weekly_threshold": 9,
        "decay_factor": 0.11,
        "floor_fraction": 0.2,
        "spam_penalty": -12,
        "pr_closed_no_merge_penalty": -10,
    }
)
