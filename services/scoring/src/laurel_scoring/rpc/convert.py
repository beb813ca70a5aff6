"""Runs and boards as protobuf, and what the other conversions have in common. Only the modules
convert… know both sides. The wire numbers its enums from 1.
"""

from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from laurel.common.v1 import board_pb2
from laurel.scoring.v1 import scoring_pb2
from laurel_scoring.application.ports import BoardKey
from laurel_scoring.domain.results import Result
from laurel_scoring.domain.runs import Phase, Run, RunState
from laurel_scoring.domain.vocabulary import (
    ONE,
    Category,
    EntityType,
    ScopeType,
    SignalType,
    TimePeriod,
)

_STATES = {
    RunState.QUEUED: scoring_pb2.SCORING_STATE_QUEUED,
    RunState.RUNNING: scoring_pb2.SCORING_STATE_RUNNING,
    RunState.SUCCEEDED: scoring_pb2.SCORING_STATE_SUCCEEDED,
    RunState.FAILED: scoring_pb2.SCORING_STATE_FAILED,
    RunState.CANCELLED: scoring_pb2.SCORING_STATE_FAILED,
}
_PHASES = {
    None: scoring_pb2.SCORING_PHASE_UNSPECIFIED,
    Phase.READING: scoring_pb2.SCORING_PHASE_READING,
    Phase.PUBLISHING: scoring_pb2.SCORING_PHASE_PUBLISHING,
}


def timestamp(moment: datetime | None) -> Timestamp | None:
    """None stays unset."""
    if moment is None:
        return None
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def at(microseconds: int) -> Timestamp:
    """Microseconds since 1970 UTC."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest * 1_000)


def decimal(number_e4: int) -> str:
    """Ten-thousandths as people read them: -12.5 is "-12.5000"."""
    whole, rest = divmod(abs(number_e4), ONE)
    return f"{'-' if number_e4 < 0 else ''}{whole}.{rest:04d}"


def board_key(board: board_pb2.Board) -> BoardKey:
    """The board that a request is about."""
    return BoardKey(
        installation_id=board.installation_id,
        preset_id=board.preset_id,
        scope_type=ScopeType(board.scope_type - 1),
        scope_id=board.scope_id,
        entity_type=EntityType(board.entity_type - 1),
        time_period=TimePeriod(board.time_period - 1),
    )


def wire(number: int) -> Any:
    """The wire's number of an enum that the engine numbers from 0."""
    return number + 1


def breakdown(result: Result) -> board_pb2.Breakdown:
    """What a score is made of."""
    parts = zip(Category, result.breakdown_e4, strict=True)
    return board_pb2.Breakdown(**{f"{part.name.lower()}_e4": number for part, number in parts})


def counts(result: Result) -> board_pb2.Counts:
    """Signals by type."""
    kinds = zip(SignalType, result.counts, strict=True)
    return board_pb2.Counts(**{kind.name.lower(): number for kind, number in kinds})


def scoring(run: Run) -> scoring_pb2.Scoring:
    """A run."""
    return scoring_pb2.Scoring(
        id=run.id,
        installation_id=run.installation_id,
        state=_STATES[run.state],
        as_of=timestamp(run.as_of),
        create_time=timestamp(run.requested_at),
        start_time=timestamp(run.started_at),
        end_time=timestamp(run.finished_at),
        boards_total=run.boards_total,
        boards_published=run.boards_published,
        signal_count=run.signal_count,
        failure_reason=run.failure_reason or "",
        attempts=run.attempts,
        phase=_PHASES[run.phase],
        signals_expected=run.signals_expected,
    )
