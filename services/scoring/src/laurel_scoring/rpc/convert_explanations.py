"""Explanations to protobuf. What the caller may not see of a line is left out of it here, so that
what becomes hidden while a stream lasts is hidden from then on.
"""

from collections.abc import Collection, Iterator
from typing import Any

from laurel.common.v1 import types_pb2
from laurel.scoring.v1 import explanation_pb2 as pb
from laurel_common.auth.access import Access
from laurel_scoring.application.explained import Explained, Question
from laurel_scoring.domain import kernel
from laurel_scoring.domain.github_links import NOTHING, html_url
from laurel_scoring.domain.vocabulary import (
    ONE,
    EntityType,
    MultiplierKind,
    Outcome,
    ReviewState,
    SignalType,
)
from laurel_scoring.rpc.convert import at, breakdown, counts, decimal, wire
from laurel_scoring.rpc.convert_presets import rules

LINES_A_MESSAGE = 500

# Of each multiplier: the ledger's columns of its factor and of the points after it.
_STEPS = {
    MultiplierKind.FIRST_ACTIVITY: (kernel.FIRST_FACTOR, kernel.AFTER_FIRST),
    MultiplierKind.MERGED_PR_COMMIT: (kernel.MERGED_FACTOR, kernel.AFTER_MERGED),
    MultiplierKind.PR_LINKED_TO_ISSUE: (kernel.LINKED_FACTOR, kernel.AFTER_LINKED),
}


def question(request: pb.ExplainScoreRequest) -> Question:
    """Whose score, and which lines."""
    asked = request.range if request.HasField("range") else request.board
    return Question(
        asked.installation_id,
        EntityType(asked.entity_type - 1),
        request.entity_id,
        frozenset(Outcome(each - 1) for each in request.outcomes),
        frozenset(SignalType(each - 1) for each in request.types),
    )


def header(told: Explained) -> pb.ExplainScoreHeader:
    """What is explained, with the numbers that the lines sum to."""
    result, origin = told.result, told.origin
    return pb.ExplainScoreHeader(
        materialization_id=origin.materialization_id,
        version=origin.version,
        as_of=at(origin.as_of),
        rank=result.rank,
        score_e4=result.score_e4,
        score=decimal(result.score_e4),
        breakdown=breakdown(result),
        counts=counts(result),
        line_count=len(told.lines),
        preset_id=origin.preset_id,
        entity_name=told.entity_name,
        rules=rules(origin.rules),
        ledger_line_count=told.ledger_line_count,
        withheld=[
            pb.Withheld(
                outcome=wire(each.outcome),
                signal_count=each.signal_count,
                withheld_e4=each.withheld_e4,
            )
            for each in told.withheld
        ],
        bot_signal_count=told.bot_signals,
        members=[
            pb.MemberScore(
                user_id=each.user_id,
                user_login=told.names.users.get(each.user_id, ""),
                score_e4=each.score_e4,
                score=decimal(each.score_e4),
                line_count=each.line_count,
            )
            for each in told.members
        ],
    )


class LedgerConverter:
    """The lines of one explanation, LINES_A_MESSAGE at a time."""

    def __init__(self, told: Explained, web_url: str) -> None:
        self._told = told
        self._of_team = told.question.entity_type is EntityType.TEAM
        self._web_url = web_url

    def starts(self) -> Collection[int]:
        """Where the messages begin."""
        return range(0, len(self._told.lines), LINES_A_MESSAGE)

    def message(self, first: int, access: Access) -> pb.LedgerLines:
        """The lines from `first` on, as far as `access` goes."""
        return pb.LedgerLines(lines=self._lines(first, access))

    def _lines(self, first: int, access: Access) -> Iterator[pb.LedgerLine]:
        names, references = self._told.names, self._told.references
        quotas = self._told.origin.rules.daily_quotas
        for row in self._rows(slice(first, first + LINES_A_MESSAGE)):
            when, type_number, user_id, repository_id, value, state, added, deleted = row[:8]
            content_hash, step, withheld = row[8:]
            kind = SignalType(type_number)
            line = pb.LedgerLine(
                event_time=at(when),
                type=wire(kind),
                user_id=user_id,
                user_login=names.users.get(user_id, ""),
                outcome=wire(step[kernel.OUTCOME]),
                points_e4=step[kernel.POINTS],
                penalty_e4=step[kernel.PENALTY],
                base_e4=step[kernel.BASE],
                value_e4=value,
                day_position=step[kernel.IN_DAY],
                day_quota=quotas.get(kind, 0) if step[kernel.IN_DAY] else 0,
                week_position=step[kernel.IN_WEEK],
                decay_e4=step[kernel.DECAY],
                points_after_decay_e4=step[kernel.AFTER_DECAY],
                multipliers=_applied(step),
                review_state=_state(ReviewState(state)),
                review_weight_e4=step[kernel.WEIGHT],
                additions=added,
                deletions=deleted,
                member_id=user_id if self._of_team else 0,
                withheld_e4=withheld,
            )
            if access.sees_repository(repository_id):
                thing = references.get(content_hash, NOTHING)
                full_name = names.repositories.get(repository_id, "")
                line.repository_id = repository_id
                line.repository_full_name = full_name
                line.content_hash = content_hash.hex()
                line.number, line.title = thing.number, thing.title
                line.html_url = html_url(self._web_url, full_name, kind, thing)
            yield line

    def _rows(self, some: slice) -> Iterator[tuple[Any, ...]]:
        """Plain numbers, a line each: the columns of LedgerLines in their order."""
        lines = self._told.lines
        hashes = [row.tobytes() for row in lines.content_hash[some]]
        columns = [
            hashes if name == "content_hash" else column[some].tolist()
            for name, column in vars(lines).items()
        ]
        return zip(*columns, strict=True)


def _state(state: ReviewState) -> Any:
    return types_pb2.ReviewState.ValueType(state)


def _applied(step: list[int]) -> list[pb.AppliedMultiplier]:
    return [
        pb.AppliedMultiplier(kind=kind.name.lower(), factor_e4=step[factor], points_e4=step[after])
        for kind, (factor, after) in _STEPS.items()
        if step[factor] not in (0, ONE)
    ]
