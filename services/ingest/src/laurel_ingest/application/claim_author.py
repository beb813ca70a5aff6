"""The use case ClaimAuthor: a synthetic author is a person by an operator's word, or no more."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from laurel_common.clock import Clock
from laurel_ingest.application.batch_facts import BatchFacts
from laurel_ingest.application.batch_store import BatchStore
from laurel_ingest.application.turns import Turn
from laurel_ingest.domain.facts import FactKey


@dataclass(frozen=True, slots=True)
class AuthorClaim:
    """Whom an author is; `is_released`: that was so, and is not any more."""

    synthetic_id: int
    user_id: int
    is_released: bool = False


class AuthorClaims(Protocol):
    """Claims by word, and how far signals have followed them. Raises DatabaseUnavailable."""

    async def begin(self, claim: AuthorClaim, now: datetime) -> bool:
        """Has whatever is stored from now on credit whom the claim says; answers False where
        everything stored before has followed, or nothing has to.

        Raises UserNotFound, and ConcurrentChange where the author is somebody else's, or not yet
        free of them.
        """
        ...

    async def next_facts(self, claim: AuthorClaim) -> Sequence[FactKey]:
        """Some of the facts that credit the author and have not been brought up, in order."""
        ...

    async def passed(self, claim: AuthorClaim, last: FactKey, moved: int) -> None:
        """Notes that the facts up to `last` are brought up, and how many signals that changed."""
        ...

    def loose(self, claim: AuthorClaim) -> AsyncGenerator[int]:
        """Moves signals that no fact stands behind, so many with each step; each step is
        committed.
        """
        ...

    async def finish(self, claim: AuthorClaim, now: datetime) -> None:
        """Notes that everything has followed."""
        ...


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one call came to."""

    moved_count: int
    is_complete: bool


class ClaimAuthor:
    """Goes on where an earlier call ended, however it did."""

    # Of one call.
    turn = Turn()

    def __init__(
        self, claims: AuthorClaims, store: BatchStore, clock: Clock, changed: Callable[[], None]
    ) -> None:
        self._claims = claims
        self._store = store
        self._clock = clock
        self._changed = changed

    async def __call__(self, claim: AuthorClaim) -> Claimed:
        """Follows for a while. Raises what AuthorClaims.begin raises."""
        if not await self._claims.begin(claim, self._clock.now()):
            return Claimed(0, is_complete=True)
        moved, is_complete = await self.turn.take(self._slices(claim))
        if is_complete:
            await self._claims.finish(claim, self._clock.now())
        self._changed()
        return Claimed(moved, is_complete)

    async def _slices(self, claim: AuthorClaim) -> AsyncGenerator[int]:
        """Facts say whom their signals credit by the claim that stands when they are stored, so
        storing them again without news is all that it takes, in either direction.
        """
        while keys := await self._claims.next_facts(claim):
            now = int(self._clock.now().timestamp())
            stored = await self._store.store(BatchFacts(), {}, now, again=keys)
            moved = sum(each.new + each.changed for each in stored.by_type.values())
            await self._claims.passed(claim, keys[-1], moved)
            yield moved
        async for moved in self._claims.loose(claim):
            yield moved
