"""What a new version changes on its board."""

from dataclasses import dataclass

from laurel_leaderboard.domain.entries import Entry, Profile
from laurel_leaderboard.domain.pages import Freshness
from laurel_leaderboard.domain.versions import Version


@dataclass(frozen=True, slots=True)
class Leaver:
    """One who does not stand on the board any more."""

    entity_id: int
    profile: Profile | None


@dataclass(frozen=True, slots=True)
class BoardChange:
    """The entries of `version` that are others than in the version `base_id`, and who left.

    `base_id` 0: there is nothing that it could be compared with. `truncated`: more has changed.
    """

    version: Version
    freshness: Freshness
    base_id: int = 0
    entries: tuple[Entry, ...] = ()
    left: tuple[Leaver, ...] = ()
    truncated: bool = False

    def ids(self) -> list[int]:
        """Whom it names."""
        return [*(e.row.entity_id for e in self.entries), *(e.entity_id for e in self.left)]
