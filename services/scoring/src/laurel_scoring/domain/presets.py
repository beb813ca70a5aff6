"""Presets: named rule sets of an installation, of which one is active, and how they change."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from laurel_common.errors import InvalidRequest, Violation
from laurel_scoring.domain.errors import EtagStale, PresetProtected
from laurel_scoring.domain.rule_checks import check_rules
from laurel_scoring.domain.rules import DEFAULT_PRESET_NAME, RuleSet

RULE_FIELDS: Final = {
    "base_points": "base_points_e4",
    "multipliers": "multipliers",
    "review_state_weights": "review_weights_e4",
    "daily_quotas": "daily_quotas",
    "zero_point_conditions": "zero_points",
    "weekly_threshold": "weekly_threshold",
    "decay_factor_e4": "decay_factor_e4",
    "floor_fraction_e4": "floor_fraction_e4",
    "spam_penalty_e4": "spam_penalty_e4",
    "pr_closed_no_merge_penalty_e4": "pr_closed_no_merge_penalty_e4",
}
"""What a field mask can name of a rule set, and the attribute of RuleSet that it means."""


@dataclass(frozen=True)
class Preset:
    """A named rule set; `revision` grows by one with each change of its name or rules."""

    id: int
    installation_id: int
    name: str
    is_active: bool
    rules: RuleSet
    created_at: datetime
    updated_at: datetime
    revision: int = 1

    @property
    def etag(self) -> str:
        """Names this revision; activation is not part of it."""
        return f"{self.id}-{self.revision}"


@dataclass(frozen=True)
class RulesEdit:
    """Rules as a caller gave them, and which of their fields are meant.

    fields: keys of RULE_FIELDS. faults: what was wrong with the form in which they came.
    """

    rules: RuleSet
    fields: Collection[str] = tuple(RULE_FIELDS)
    faults: tuple[Violation, ...] = ()

    def over(self, base: RuleSet) -> RuleSet:
        """`base` with the meant fields replaced. Raises InvalidRequest naming every fault."""
        given = {
            RULE_FIELDS[field]: getattr(self.rules, RULE_FIELDS[field]) for field in self.fields
        }
        merged = replace(base, **given)
        faults = (*self.faults, *check_rules(merged))
        if faults:
            raise InvalidRequest.of(*((fault.field, fault.description) for fault in faults))
        return merged


@dataclass(frozen=True)
class PresetEdit:
    """A change of one revision of a preset; None leaves a part as it is."""

    etag: str
    name: str | None = None
    rules: RulesEdit | None = None

    def apply(self, preset: Preset) -> Preset:
        """The preset as it will be. Raises EtagStale, PresetProtected, InvalidRequest."""
        check_etag(preset, self.etag)
        name = preset.name if self.name is None else self.name
        if preset.name == DEFAULT_PRESET_NAME != name:
            raise PresetProtected("the preset `default` keeps its name")
        rules = preset.rules if self.rules is None else self.rules.over(preset.rules)
        return replace(preset, name=name, rules=rules)


def check_etag(preset: Preset, etag: str) -> None:
    """Raises EtagStale unless `etag` names the preset's present revision."""
    if etag != preset.etag:
        raise EtagStale(metadata={"current_etag": preset.etag})


def check_deletable(preset: Preset, served_id: int | None) -> None:
    """Raises PresetProtected for `default`, the active preset, and the one whose boards are
    served until the active one's are there.
    """
    if preset.name == DEFAULT_PRESET_NAME:
        raise PresetProtected("the preset `default` can't be deleted", metadata={"why": "default"})
    if preset.is_active:
        raise PresetProtected("the active preset can't be deleted", metadata={"why": "active"})
    if preset.id == served_id:
        raise PresetProtected(
            "the preset's boards are served until those of the active one are computed",
            metadata={"why": "served"},
        )
