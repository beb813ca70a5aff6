"""What names a board: as callers ask for it, and as it stands in the database."""

from enum import StrEnum
from typing import NamedTuple


class ScopeType(StrEnum):
    """What a board covers, by the database's names."""

    ORGANIZATION = "organization"
    TEAM = "team"
    REPOSITORY = "repository"


class EntityType(StrEnum):
    """What a board ranks, by the database's names."""

    CONTRIBUTOR = "contributor"
    TEAM = "team"
    REPOSITORY = "repository"


class TimePeriod(StrEnum):
    """The window of a board, by the database's names."""

    TODAY = "today"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    ALL_TIME = "all_time"


class BoardAddress(NamedTuple):
    """A board as a caller names it.

    `preset_id` 0 means the preset that is served now; `scope_id` 0 with scope organization means
    the installation's own account.
    """

    installation_id: int
    preset_id: int
    scope_type: ScopeType
    scope_id: int
    entity_type: EntityType
    time_period: TimePeriod

    def text(self) -> str:
        """One line that differs between any two addresses."""
        return "/".join(map(str, self))


class BoardKey(NamedTuple):
    """A board of one preset; `scope_id` is never 0."""

    scope_type: ScopeType
    scope_id: int
    entity_type: EntityType
    time_period: TimePeriod


class Preset(NamedTuple):
    """A preset that has boards, and whose they are."""

    installation_id: int
    preset_id: int
    organization_id: int

    def key_of(self, address: BoardAddress) -> BoardKey | None:
        """The board of this preset that `address` names; None where it can have no such board."""
        if address.scope_type is not ScopeType.ORGANIZATION:
            return BoardKey(*address[2:])
        if address.scope_id not in (0, self.organization_id):
            return None
        return BoardKey(
            address.scope_type, self.organization_id, address.entity_type, address.time_period
        )


# What a board of each scope can rank.
ENTITIES_OF_SCOPE = {
    ScopeType.ORGANIZATION: frozenset(EntityType),
    ScopeType.TEAM: frozenset({EntityType.CONTRIBUTOR, EntityType.REPOSITORY}),
    ScopeType.REPOSITORY: frozenset({EntityType.CONTRIBUTOR, EntityType.TEAM}),
}
