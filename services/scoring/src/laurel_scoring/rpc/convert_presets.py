"""Presets and rules to protobuf and back. The wire numbers its enums from 1."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from laurel.common.v1 import types_pb2
from laurel.scoring.v1 import preset_pb2
from laurel_common.errors import InvalidRequest, Violation
from laurel_scoring.domain.presets import RULE_FIELDS, Preset, PresetEdit, RulesEdit
from laurel_scoring.domain.rules import DEFAULT_RULES, Multiplier, RuleSet
from laurel_scoring.domain.vocabulary import (
    MultiplierKind,
    ReviewState,
    SignalType,
    ZeroPointKind,
)
from laurel_scoring.rpc.convert import timestamp

K = TypeVar("K")
V = TypeVar("V")

_MULTIPLIERS = {
    MultiplierKind.MERGED_PR_COMMIT: preset_pb2.MULTIPLIER_KIND_MERGED_PR_COMMIT,
    MultiplierKind.PR_LINKED_TO_ISSUE: preset_pb2.MULTIPLIER_KIND_PR_LINKED_TO_ISSUE,
    MultiplierKind.FIRST_ACTIVITY: preset_pb2.MULTIPLIER_KIND_FIRST_ACTIVITY,
}
_KINDS = {wire: kind for kind, wire in _MULTIPLIERS.items()}


def preset(value: Preset) -> preset_pb2.Preset:
    """A preset with its rules."""
    return preset_pb2.Preset(
        id=value.id,
        installation_id=value.installation_id,
        name=value.name,
        is_active=value.is_active,
        rules=rules(value.rules),
        create_time=timestamp(value.created_at),
        update_time=timestamp(value.updated_at),
        etag=value.etag,
    )


def rules(value: RuleSet) -> preset_pb2.Rules:
    """A rule set; lists in the order of their enums."""
    return preset_pb2.Rules(
        base_points=[
            preset_pb2.BasePoints(type=_type(kind), points_e4=points)
            for kind, points in sorted(value.base_points_e4.items())
        ],
        multipliers=[
            preset_pb2.Multiplier(
                kind=_MULTIPLIERS[kind],
                factor_e4=each.factor_e4,
                signal_types=[_type(signal_type) for signal_type in sorted(each.signal_types)],
            )
            for kind, each in sorted(value.multipliers.items())
        ],
        review_state_weights=[
            preset_pb2.ReviewStateWeight(state=_state(state), weight_e4=weight)
            for state, weight in sorted(value.review_weights_e4.items())
        ],
        daily_quotas=[
            preset_pb2.DailyQuota(type=_type(kind), max_signals=limit)
            for kind, limit in sorted(value.daily_quotas.items())
        ],
        zero_point_conditions=[_condition(kind) for kind in sorted(value.zero_points)],
        weekly_threshold=value.weekly_threshold,
        decay_factor_e4=value.decay_factor_e4,
        floor_fraction_e4=value.floor_fraction_e4,
        spam_penalty_e4=value.spam_penalty_e4,
        pr_closed_no_merge_penalty_e4=value.pr_closed_no_merge_penalty_e4,
    )


def _type(kind: SignalType) -> Any:
    return kind + 1


def _state(state: ReviewState) -> Any:
    return types_pb2.ReviewState.ValueType(state)


def _condition(kind: ZeroPointKind) -> Any:
    return kind + 1


def rules_edit(given: preset_pb2.Rules, fields: Iterable[str] = tuple(RULE_FIELDS)) -> RulesEdit:
    """The rules of a request, and which of their fields are meant; what is given twice is a
    fault of theirs.
    """
    faults: list[Violation] = []

    def once(name: str, pairs: Iterable[tuple[K, V]]) -> Mapping[K, V]:
        found: dict[K, V] = {}
        for key, value in pairs:
            if key in found:
                word = key.name.lower()  # type: ignore[attr-defined]  # all keys are enums
                faults.append(Violation(f"rules.{name}[{word}]", "is given more than once"))
            found[key] = value
        return found

    rules = RuleSet(
        base_points_e4=once(
            "base_points", ((SignalType(p.type - 1), p.points_e4) for p in given.base_points)
        ),
        multipliers=once(
            "multipliers",
            (
                (
                    _KINDS[m.kind],
                    Multiplier(
                        m.factor_e4, frozenset(SignalType(each - 1) for each in m.signal_types)
                    ),
                )
                for m in given.multipliers
            ),
        ),
        review_weights_e4=once(
            "review_state_weights",
            ((ReviewState(w.state), w.weight_e4) for w in given.review_state_weights),
        ),
        daily_quotas=once(
            "daily_quotas", ((SignalType(q.type - 1), q.max_signals) for q in given.daily_quotas)
        ),
        zero_points=frozenset(ZeroPointKind(kind - 1) for kind in given.zero_point_conditions),
        weekly_threshold=given.weekly_threshold,
        decay_factor_e4=given.decay_factor_e4,
        floor_fraction_e4=given.floor_fraction_e4,
        spam_penalty_e4=given.spam_penalty_e4,
        pr_closed_no_merge_penalty_e4=given.pr_closed_no_merge_penalty_e4,
    )
    return RulesEdit(rules, tuple(fields), tuple(faults))


def new_rules(request: preset_pb2.CreatePresetRequest) -> RulesEdit:
    """The rules that a new preset is to have: the default ones where none are given."""
    return rules_edit(request.rules) if request.HasField("rules") else RulesEdit(DEFAULT_RULES)


def preset_edit(request: preset_pb2.UpdatePresetRequest) -> PresetEdit:
    """What an update changes. Raises InvalidRequest for a mask that names something else."""
    has_rules = request.HasField("rules")
    paths = list(request.update_mask.paths)
    if not paths:
        paths = ["name"] * bool(request.name) + ["rules"] * has_rules
        if not paths:
            raise InvalidRequest.of(("update_mask", "neither it, name nor rules is set"))
    names = "name" in paths
    if names and not request.name:
        raise InvalidRequest.of(("name", "is named by update_mask and missing"))
    fields = rule_fields([path for path in paths if path != "name"], has_rules)
    return PresetEdit(
        etag=request.etag,
        name=request.name if names else None,
        rules=rules_edit(request.rules, fields) if fields else None,
    )


def rule_fields(paths: Iterable[str], has_rules: bool) -> tuple[str, ...]:
    """The fields of a rule set that a mask's paths below `rules` name, without repetition.

    Raises InvalidRequest for other paths, and where rules are named that are not there.
    """
    known = {f"rules.{field}": [field] for field in RULE_FIELDS} | {"rules": list(RULE_FIELDS)}
    found: dict[str, None] = {}
    unknown = [path for path in paths if path not in known]
    if unknown:
        raise InvalidRequest.of(*(("update_mask", f"no field {path!r}") for path in unknown))
    for path in paths:
        found |= dict.fromkeys(known[path])
    if found and not has_rules:
        raise InvalidRequest.of(("rules", "is named by update_mask and missing"))
    return tuple(found)
