"""The rows of a version as readers see them, and their one total order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from laurel_leaderboard.domain.boards import EntityType
from laurel_leaderboard.domain.history import Standing


class Position(NamedTuple):
    """A row's place in the order of its board: score descending, then entity id."""

    score_e4: int
    entity_id: int


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One place on a board. Points are ten-thousandths; `breakdown` and `counts` by name."""

    rank: int
    entity_id: int
    score_e4: int
    breakdown: Mapping[str, int]
    counts: Mapping[str, int]
    additions: int
    deletions: int
    member_count: int | None = None

    @property
    def position(self) -> Position:
        """Where the next page begins if this is the last row of one."""
        return Position(self.score_e4, self.entity_id)


@dataclass(frozen=True, slots=True)
class Profile:
    """How an entity is shown: login, slug or full name; a display name; a picture."""

    login: str
    name: str = ""
    avatar_url: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row with its entity's profile, and where the entity stood one period before.

    Each is None where there is none: identity does not know it (any more), it did not stand.
    `hidden` from the reader: it keeps its place and its points, and nothing says whose they are.
    """

    row: ScoreRow
    entity_type: EntityType
    profile: Profile | None
    previous: Standing | None = None
    hidden: bool = False


def format_points(points_e4: int) -> str:
    """Ten-thousandths with a decimal point: 825000 → "82.5000"."""
    whole, fraction = divmod(abs(points_e4), 10_000)
    return f"{'-' if points_e4 < 0 else ''}{whole}.{fraction:04d}"
