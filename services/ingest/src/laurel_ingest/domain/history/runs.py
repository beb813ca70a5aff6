"""An ingest run: what was asked for, how far it is, and when the next one may begin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

COOLDOWN = timedelta(hours=24)
MAX_FAILURES = 8
MAX_PLANS = 20
_LONGEST_PAUSE = timedelta(seconds=60)


class RunState(StrEnum):
    """Where a run stands; the database's words."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (RunState.QUEUED, RunState.RUNNING)


class Preset(StrEnum):
    """How far back a run reads; the database's words."""

    TODAY = "today"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    ALL_TIME = "all_time"

    def since(self, now: datetime) -> datetime | None:
        """The first moment that belongs to it; None where everything does."""
        if self is Preset.ALL_TIME:
            return None
        if self is Preset.TODAY:
            return now.replace(hour=0, minute=0, second=0, microsecond=0)
        return now - timedelta(days=_DAYS[self])


_DAYS = {Preset.WEEK: 7, Preset.MONTH: 30, Preset.QUARTER: 90, Preset.HALF_YEAR: 180}


class WorkState(StrEnum):
    """Where a repository of a run stands; the database's words."""

    WAITING = "waiting"
    READING = "reading"
    DONE = "done"
    UNCHANGED = "unchanged"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class Scope:
    """An installation, or one team or repository of it."""

    installation_id: int
    team_id: int | None = None
    repository_id: int | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A repository that was left out, is retried, or is not what it was."""

    repository_id: int
    full_name: str
    reason: str
    is_left_out: bool


@dataclass(frozen=True, slots=True)
class Run:
    """A run with its counts; the repositories' are 0 until it is planned.

    `is_urgent`: of one repository, whose history somebody has rewritten. `attempts`: how often it
    was taken on.
    """

    id: int
    scope: Scope
    organization_id: int
    state: RunState
    preset: Preset
    requested_at: datetime
    history_since: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    is_planned: bool = False
    is_reconciling: bool = False
    is_urgent: bool = False
    attempts: int = 0
    repositories_total: int = 0
    repositories_done: int = 0
    new_count: int = 0
    changed_count: int = 0
    duplicate_count: int = 0
    withdrawn_count: int = 0
    request_count: int = 0
    point_count: int = 0
    points_left: int | None = None
    waiting_until: datetime | None = None
    failure_reason: str | None = None
    troubles: Sequence[Trouble] = ()


def cooldown_ends(last_success: datetime | None, now: datetime) -> datetime | None:
    """When the next run of a scope may begin; None where it may now."""
    if last_success is None or last_success + COOLDOWN <= now:
        return None
    return last_success + COOLDOWN


def pause_after(failures: int) -> timedelta:
    """How long to leave a repository, or a run, alone that failed so often in a row."""
    return min(timedelta(seconds=2 ** min(failures - 1, 10)), _LONGEST_PAUSE)
