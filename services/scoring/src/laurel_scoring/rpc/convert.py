"""Runs, explanations and boards as protobuf; convert_presets has presets. Only these two know
both sides. The wire numbers its enums from 1.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.common.v1 import board_pb2, types_pb2
from laurel.scoring.v1 import explanation_pb2, scoring_pb2
from laurel_scoring.application.explain_score import ExplainedVersion
from laurel_scoring.application.ports import BoardKey
from laurel_scoring.domain import kernel
from laurel_scoring.domain.runs import Phase, Run, RunState
from laurel_scoring.domain.vocabulary import (
    ONE,
    Category,
    EntityType,
    MultiplierKind,
    ReviewState,
    ScopeType,
    SignalType,
    TimePeriod,
)

LINES_A_MESSAGE = 500

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
# Of each multiplier: the ledger's columns of its factor and of the points after it.
_STEPS = {
    MultiplierKind.FIRST_ACTIVITY: (kernel.FIRST_FACTOR, kernel.AFTER_FIRST),
    MultiplierKind.MERGED_PR_COMMIT: (kernel.MERGED_FACTOR, kernel.AFTER_MERGED),
    MultiplierKind.PR_LINKED_TO_ISSUE: (kernel.LINKED_FACTOR, kernel.AFTER_LINKED),
}


def timestamp(moment: datetime | None) -> Timestamp | None:
    """None stays unset."""
    if moment is None:
        return None
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def _at(microseconds: int) -> Timestamp:
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


def _type(kind: SignalType) -> Any:
    return kind + 1


def _state(state: ReviewState) -> Any:
    return types_pb2.ReviewState.ValueType(state)


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


def explanation_header(told: ExplainedVersion) -> explanation_pb2.ExplainScoreHeader:
    """What is explained, with the numbers that the lines sum to."""
    family, row = told.explanation.family, told.explanation.row
    breakdown = {
        f"{part.name.lower()}_e4": int(family.breakdown_e4[row, part]) for part in Category
    }
    counts = {kind.name.lower(): int(family.counts[row, kind]) for kind in SignalType}
    score = int(family.score_e4[row])
    return explanation_pb2.ExplainScoreHeader(
        materialization_id=told.version.materialization_id,
        version=told.version.version,
        as_of=_at(told.as_of),
        rank=int(family.rank[row]),
        score_e4=score,
        score=decimal(score),
        breakdown=board_pb2.Breakdown(**breakdown),
        counts=board_pb2.Counts(**counts),
        line_count=len(told.explanation.ledger),
        preset_id=told.version.preset_id,
    )


def ledger_lines(
    told: ExplainedVersion, entity_type: EntityType
) -> Iterator[explanation_pb2.LedgerLines]:
    """The ledger, LINES_A_MESSAGE at a time."""
    ledger = told.explanation.ledger
    for first in range(0, len(ledger), LINES_A_MESSAGE):
        numbers = range(first, min(first + LINES_A_MESSAGE, len(ledger)))
        yield explanation_pb2.LedgerLines(
            lines=[_line(told, number, entity_type) for number in numbers]
        )


def _line(
    told: ExplainedVersion, number: int, entity_type: EntityType
) -> explanation_pb2.LedgerLine:
    ledger, timeline = told.explanation.ledger, told.evaluation.timeline
    position = int(ledger.position[number])
    line: list[int] = ledger.lines[number].tolist()
    signals, row = told.inputs.signals, int(timeline.source[position])
    user_id = int(signals.users[signals.user[row]])
    kind = SignalType(int(signals.type[row]))
    judged = line[kernel.IN_DAY] > 0
    return explanation_pb2.LedgerLine(
        event_time=_at(int(signals.event_timestamp[row])),
        type=_type(kind),
        user_id=user_id,
        repository_id=int(signals.repositories[signals.repository[row]]),
        content_hash=np.ascontiguousarray(signals.content_hash[row]).tobytes().hex(),
        outcome=line[kernel.OUTCOME] + 1,  # type: ignore[arg-type]  # the wire's number
        points_e4=line[kernel.POINTS],
        penalty_e4=line[kernel.PENALTY],
        base_e4=line[kernel.BASE],
        value_e4=int(signals.value_e4[row]),
        day_position=line[kernel.IN_DAY],
        day_quota=told.rules.daily_quotas.get(kind, 0) if judged else 0,
        week_position=line[kernel.IN_WEEK],
        decay_e4=line[kernel.DECAY],
        points_after_decay_e4=line[kernel.AFTER_DECAY],
        multipliers=_applied(line),
        review_state=_state(ReviewState(int(signals.review_state[row]))),
        review_weight_e4=line[kernel.WEIGHT],
        additions=int(signals.additions[row]),
        deletions=int(signals.deletions[row]),
        member_id=user_id if entity_type is EntityType.TEAM else 0,
    )


def _applied(line: list[int]) -> list[explanation_pb2.AppliedMultiplier]:
    return [
        explanation_pb2.AppliedMultiplier(
            kind=kind.name.lower(), factor_e4=line[factor], points_e4=line[after]
        )
        for kind, (factor, after) in _STEPS.items()
        if line[factor] not in (0, ONE)
    ]
