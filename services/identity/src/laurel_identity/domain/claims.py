"""Whom operators say that a synthetic user is: one person at a time, until released."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from laurel_identity.domain.errors import ClaimNotFound, IdentityClaimed

SYNTHETIC_BELOW: Final = -(2**62)
"""Ids of users that GitHub has not numbered lie below it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A word on one synthetic user; `is_release` takes the one before back.

    `moved_count` signals had changed by then; `finished_at` None: they are still following.
    """

    id: int
    synthetic_user_id: int
    user_id: int
    is_release: bool
    requested_by: str
    requested_at: datetime
    moved_count: int = 0
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for: `user_id` None takes the claim that stands back."""

    synthetic_user_id: int
    user_id: int | None


def is_said_already(last: Claim | None, wanted: Wanted) -> bool:
    """Whether the last word on the user says what is wanted.

    Raises IdentityClaimed where the user is somebody else's, ClaimNotFound where there is nothing
    to take back.
    """
    if wanted.user_id is None:
        if last is None:
            raise ClaimNotFound
        return last.is_release
    if last is None or last.is_release:
        return False
    if last.user_id != wanted.user_id:
        raise IdentityClaimed(metadata={"user_id": str(last.user_id)})
    return True
