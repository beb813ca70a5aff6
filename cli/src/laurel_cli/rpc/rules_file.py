"""Rules as people write them in a file: points and factors with decimals, over a preset's rules.

TOML, or JSON of the same shape:

    weekly_threshold = 5
    decay_factor = 0.2
    spam_penalty = -20
    zero_point_conditions = ["self_review", "bot_activity"]
    [base_points]
    commit = 12.5
    comment = false              # takes the entry away
    [daily_quotas]
    commit = 10
    [review_state_weights]
    approved = 1.5
    [multipliers.first_activity]
    factor = 2
    signal_types = ["commit"]    # left out: as they are

What the file does not name stays as it is; a list is replaced whole.
"""

import json
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from laurel.common.v1 import types_pb2
from laurel.scoring.v1 import preset_pb2
from laurel_cli.errors import UsageError
from laurel_cli.rpc.lookups import parse_enum

_ONE = 10_000
_AMOUNTS = ("decay_factor", "floor_fraction", "spam_penalty", "pr_closed_no_merge_penalty")
# Of each table: the enum of its keys, the message of its entries, their key's and number's
# fields, and whether the number is an amount in points or a count.
_TABLES: Mapping[str, tuple[Any, Callable[..., Any], str, str]] = {
    "base_points": (types_pb2.SignalType, preset_pb2.BasePoints, "type", "points_e4"),
    "daily_quotas": (types_pb2.SignalType, preset_pb2.DailyQuota, "type", "max_signals"),
    "review_state_weights": (
        types_pb2.ReviewState,
        preset_pb2.ReviewStateWeight,
        "state",
        "weight_e4",
    ),
}


def rules_over(base: preset_pb2.Rules, path: Path) -> preset_pb2.Rules:
    """`base` with what the file at `path` says. Raises UsageError."""
    rules = preset_pb2.Rules()
    rules.CopyFrom(base)
    for name, value in _document(path).items():
        if name in _TABLES:
            _merge(rules, name, _table(name, value))
        elif name in _AMOUNTS:
            setattr(rules, f"{name}_e4", _e4(name, value))
        elif name == "weekly_threshold":
            rules.weekly_threshold = _whole(name, value)
        elif name == "zero_point_conditions":
            kinds = [
                parse_enum(name, each, preset_pb2.ZeroPointKind) for each in _list(name, value)
            ]
            del rules.zero_point_conditions[:]
            rules.zero_point_conditions.extend(kinds)
        elif name == "multipliers":
            _multiply(rules, _table(name, value))
        else:
            known = (*_TABLES, *_AMOUNTS, "weekly_threshold", "zero_point_conditions")
            raise UsageError(f"{path}: no rule {name!r}; known are {', '.join(known)}, multipliers")
    return rules


def _document(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            found = json.loads(text, parse_float=Decimal)
        else:
            found = tomllib.loads(text, parse_float=Decimal)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (ValueError, InvalidOperation) as error:
        raise UsageError(f"{path}: {error}") from error
    return _table(str(path), found)


def _merge(rules: preset_pb2.Rules, name: str, given: Mapping[str, Any]) -> None:
    enum, message, key, number = _TABLES[name]
    convert = _e4 if number.endswith("_e4") else _whole
    entries = getattr(rules, name)
    kept = {getattr(each, key): each for each in entries}
    for word, value in given.items():
        kind, field = parse_enum(name, word, enum), f"{name}.{word}"
        kept.pop(kind, None)
        if value is not False:
            kept[kind] = message(**{key: kind, number: convert(field, value)})
    ordered = [kept[kind] for kind in sorted(kept)]
    del entries[:]
    entries.extend(ordered)


def _multiply(rules: preset_pb2.Rules, given: Mapping[str, Any]) -> None:
    kept = {each.kind: each for each in rules.multipliers}
    for word, value in given.items():
        kind, field = (
            parse_enum("multipliers", word, preset_pb2.MultiplierKind),
            f"multipliers.{word}",
        )
        former = kept.pop(kind, preset_pb2.Multiplier(kind=kind))
        if value is False:
            continue
        changed = preset_pb2.Multiplier()
        changed.CopyFrom(former)
        for part, content in _table(field, value).items():
            if part == "factor":
                changed.factor_e4 = _e4(f"{field}.factor", content)
            elif part == "signal_types":
                del changed.signal_types[:]
                changed.signal_types.extend(
                    parse_enum(f"{field}.signal_types", each, types_pb2.SignalType)
                    for each in _list(f"{field}.signal_types", content)
                )
            else:
                raise UsageError(f"{field} has a factor and signal_types, and no {part!r}")
        kept[kind] = changed
    ordered = [kept[kind] for kind in sorted(kept)]
    del rules.multipliers[:]
    rules.multipliers.extend(ordered)


def _table(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{name} is a table: {value!r}")
    return value


def _list(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise UsageError(f"{name} is a list of words: {value!r}")
    return value


def _e4(name: str, value: Any) -> int:
    """Points or a factor in ten-thousandths."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise UsageError(f"{name} is a number: {value!r}")
    scaled = Decimal(value) * _ONE
    if not scaled.is_finite() or scaled != scaled.to_integral_value() or abs(scaled) >= 2**63:
        raise UsageError(f"{name} is a number of four decimals at most: {value}")
    return int(scaled)


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**31:
        raise UsageError(f"{name} is a whole number: {value!r}")
    return value
