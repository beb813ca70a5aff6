"""A scoring run: one computation of all boards of an installation, and how it is doing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from laurel_common.errors import LaurelError
from laurel_scoring.domain.vocabulary import TimePeriod

MAX_ATTEMPTS = 8
_LONGEST_PAUSE = timedelta(seconds=60)


class RunState(StrEnum):
    """Where a run stands; the database's words."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = frozenset({RunState.QUEUED, RunState.RUNNING})


class RunReason(StrEnum):
    """Why a run was asked for; the database's words."""

    REQUESTED = "requested"
    SCHEDULED = "scheduled"


class Phase(StrEnum):
    """What an attempt is at; the database's words."""

    READING = "reading"
    PUBLISHING = "publishing"


@dataclass(frozen=True)
class Progress:
    """How far an attempt is: signals read of those expected, boards published of all."""

    phase: Phase
    signals_read: int = 0
    signals_expected: int = 0
    boards_published: int = 0
    boards_total: int = 0


class Change(IntEnum):
    """What boards do not hold yet; the wire's numbers."""

    SIGNALS = 1
    ROSTER = 2
    BOTS = 3
    PRESET = 4


@dataclass(frozen=True)
class Run:
    """One run. While it is retried it is RUNNING and failure_reason says why the last attempt
    ended; `attempts` counts those that began. What is counted grows while an attempt works.
    """

    id: int
    installation_id: int
    state: RunState
    requested_at: datetime
    attempts: int = 0
    as_of: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    boards_total: int = 0
    boards_published: int = 0
    signal_count: int = 0
    failure_reason: str | None = None
    preset_id: int | None = None
    input_mark: str | None = None
    phase: Phase | None = None
    signals_expected: int = 0
    reason: RunReason = RunReason.REQUESTED

    @property
    def is_open(self) -> bool:
        """Whether it waits or is worked on."""
        return self.state in OPEN


@dataclass(frozen=True)
class RunResult:
    """What a run that succeeded came to. Every board of these periods equals what the rules of
    `preset_id` make of the inputs named `input_mark` as of `as_of`.
    """

    as_of: datetime
    preset_id: int
    input_mark: str
    boards_total: int
    boards_published: int
    signal_count: int
    periods: frozenset[TimePeriod] = frozenset(TimePeriod)


def pause_before(attempt: int) -> timedelta:
    """How long to wait before attempt number `attempt` (2 is the first retry)."""
    return min(timedelta(seconds=2 ** (attempt - 2)), _LONGEST_PAUSE)


def worth_retrying(error: Exception, attempts: int) -> bool:
    """Whether another attempt may end otherwise: not where what was asked for is gone."""
    final = {"INSTALLATION_NOT_FOUND", "SCORE_OUT_OF_RANGE", "PRESET_NOT_FOUND"}
    return attempts < MAX_ATTEMPTS and reason_of(error) not in final


def reason_of(error: Exception) -> str:
    """The reason to show for an attempt that ended in `error`."""
    return error.reason if isinstance(error, LaurelError) else "INTERNAL"
