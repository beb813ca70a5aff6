"""What has to be done about an installation in all services, and when to try again."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

_LONGEST_PAUSE = timedelta(minutes=5)


class WorkKind(StrEnum):
    """The database's words."""

    ADOPT = "adopt"
    TRANSFER = "transfer"
    ERASE = "erase"


class WorkOutcome(StrEnum):
    """How a work ended: done, or with nothing left to do it for."""

    DONE = "done"
    MOOT = "moot"


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to do. `into_installation_id` is None until a move has begun; `attempts` counts
    those that began, this one included.
    """

    id: int
    account_id: int
    kind: WorkKind
    installation_id: int
    repository_id: int
    into_installation_id: int | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Heir:
    """The installation that something moves into, and the account that it is on."""

    installation_id: int
    account_id: int


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts that came to nothing."""
    return min(timedelta(seconds=2 ** min(attempts, 20)), _LONGEST_PAUSE)
