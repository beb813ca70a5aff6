"""What became of places between two states of a board."""

from enum import IntEnum
from typing import NamedTuple

from laurel_leaderboard.domain.entries import Position
from laurel_leaderboard.domain.history import Standing


class Change(IntEnum):
    """What became of a place."""

    MOVED = 1
    RESCORED = 2
    ENTERED = 3
    LEFT = 4


class Mover(NamedTuple):
    """One whose place changed; None where it does, or did, not stand. Never both."""

    entity_id: int
    now: Standing | None
    before: Standing | None

    @property
    def change(self) -> Change:
        """What became of it."""
        if self.before is None:
            return Change.ENTERED
        if self.now is None:
            return Change.LEFT
        return Change.RESCORED if self.now.rank == self.before.rank else Change.MOVED

    @property
    def rank_change(self) -> int:
        """Ranks that it rose by; 0 for one that entered or left."""
        if self.now is None or self.before is None:
            return 0
        return self.before.rank - self.now.rank

    @property
    def score_change_e4(self) -> int:
        """Points that it gained; whoever does not stand counts as 0."""
        now = self.now.score_e4 if self.now is not None else 0
        return now - (self.before.score_e4 if self.before is not None else 0)

    @property
    def place(self) -> "MoverPlace":
        """Where the next page begins if this is the last one of a page."""
        standing = self.now or self.before
        score_e4 = standing.score_e4 if standing is not None else 0
        return MoverPlace(self.now is None, Position(score_e4, self.entity_id))


class MoverPlace(NamedTuple):
    """A mover's place in their order: those who stand, by place, then those who left, by theirs."""

    left: bool
    position: Position
