"""The use case ClaimIdentity, and what has signals follow the claims."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from laurel_common.clock import Clock
from laurel_common.errors import RemoteError
from laurel_identity.domain.claims import Claim, Wanted

log = structlog.get_logger(__name__)


class Claims(Protocol):
    """Claims, each for good. Raises DatabaseUnavailable."""

    async def say(self, wanted: Wanted, requested_by: str, now: datetime) -> Claim:
        """Adds what is wanted, unless the last claim on the user says it; the one that does.

        Raises UserNotFound for either user, and what `is_said_already` raises.
        """
        ...

    async def due(self) -> Sequence[Claim]:
        """Claims that signals have yet to follow: of each user the oldest."""
        ...

    async def note(self, claim: Claim, moved_count: int, error: str | None = None) -> None:
        """Notes how many more signals have followed, and what went wrong."""
        ...

    async def finish(self, claim: Claim, now: datetime) -> None:
        """Notes that all of them have."""
        ...


class Authors(Protocol):
    """Whoever holds the signals. Raises RemoteError."""

    async def follow(self, claim: Claim) -> tuple[int, bool]:
        """Has signals follow a claim for a while: how many did, and whether that is all."""
        ...


class ClaimIdentity:
    """Notes who somebody is; signals follow soon."""

    def __init__(self, claims: Claims, clock: Clock, wake: Callable[[], None]) -> None:
        self._claims = claims
        self._clock = clock
        self._wake = wake

    async def __call__(self, wanted: Wanted, *, requested_by: str) -> Claim:
        """The claim that says so. Raises what Claims.say raises."""
        claim = await self._claims.say(wanted, requested_by, self._clock.now())
        if claim.finished_at is None:
            self._wake()
        return claim


class FollowClaims:
    """Has the signals follow every claim that is open; what can't be done now is done later."""

    def __init__(self, claims: Claims, authors: Authors, clock: Clock) -> None:
        self._claims = claims
        self._authors = authors
        self._clock = clock

    async def __call__(self) -> None:
        """Goes on until nothing is open that could be done. Raises DatabaseUnavailable."""
        failed = set[int]()
        while due := [each for each in await self._claims.due() if each.id not in failed]:
            for claim in due:
                try:
                    await self._follow(claim)
                except RemoteError as error:
                    log.warning("claim_not_followed", claim=claim.id, error=repr(error))
                    await self._claims.note(claim, 0, error.reason)
                    if error.code == "NOT_FOUND":
                        # Whoever it named is gone by now, and signals with them.
                        await self._claims.finish(claim, self._clock.now())
                    failed.add(claim.id)

    async def _follow(self, claim: Claim) -> None:
        is_complete = False
        while not is_complete:
            moved, is_complete = await self._authors.follow(claim)
            await self._claims.note(claim, moved)
        await self._claims.finish(claim, self._clock.now())
        log.info("claim_followed", claim=claim.id, user_id=claim.user_id, release=claim.is_release)
