"""The use case AdoptInstallation: what is kept of an installation becomes another one's."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from laurel_common.clock import Clock
from laurel_ingest.application.turns import Turn


@dataclass(frozen=True, slots=True)
class Move:
    """What moves: all of an installation, or its repository `repository_id`."""

    from_installation_id: int
    into_installation_id: int
    repository_id: int = 0


class SignalMoves(Protocol):
    """Moves signals. Raises DatabaseUnavailable."""

    async def begin(self, move: Move, now: datetime) -> bool:
        """Has everything of the move belong to the later installation from now on, whether its
        rows have followed or not; answers False where they have.

        Raises InstallationNotFound, and ConcurrentChange where another move of one of the two is
        not over.
        """
        ...

    def slices(self, move: Move) -> AsyncGenerator[int]:
        """Moves the rows of signals, so many with each step; each step is committed."""
        ...

    async def finish(self, move: Move, now: datetime) -> bool:
        """Moves what else there is and notes that it is done, unless there are signals left."""
        ...


@dataclass(frozen=True, slots=True)
class Adopted:
    """What one call came to."""

    moved_count: int
    is_complete: bool


class AdoptInstallation:
    """Goes on where an earlier call ended, however it did."""

    # Of one call.
    turn = Turn()

    def __init__(self, moves: SignalMoves, clock: Clock, changed: Callable[[], None]) -> None:
        self._moves = moves
        self._clock = clock
        self._changed = changed

    async def __call__(self, move: Move) -> Adopted:
        """Moves for a while. Raises what SignalMoves.begin raises."""
        if not await self._moves.begin(move, self._clock.now()):
            return Adopted(0, is_complete=True)
        self._changed()
        moved, is_through = await self.turn.take(self._moves.slices(move))
        if not is_through:
            return Adopted(moved, is_complete=False)
        is_complete = await self._moves.finish(move, self._clock.now())
        self._changed()
        return Adopted(moved, is_complete)
