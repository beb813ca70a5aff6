"""What an explanation says, with everything that it names looked up."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from laurel_scoring.application.ports import Directory, Part, SignalSource
from laurel_scoring.domain.columns import Signals
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.explanation import Explanation
from laurel_scoring.domain.github_links import Reference
from laurel_scoring.domain.ledger_lines import (
    LedgerLines,
    MemberScore,
    Withheld,
    lines_of,
    member_scores,
    withheld_by_outcome,
)
from laurel_scoring.domain.periods import from_microseconds
from laurel_scoring.domain.results import Result
from laurel_scoring.domain.rules import RuleSet
from laurel_scoring.domain.vocabulary import EntityType, Outcome, SignalType

# More ids than this cost a request more than reading past the signals of others.
_MOST_IDS = 10_000


@dataclass(frozen=True)
class Question:
    """Whose score, and which lines of its ledger; no outcomes and no types mean all."""

    installation_id: int
    entity_type: EntityType
    entity_id: int
    outcomes: Collection[Outcome] = ()
    types: Collection[SignalType] = ()


@dataclass(frozen=True)
class Origin:
    """What is explained: a version, or a range, whose materialization_id and version are 0."""

    preset_id: int
    as_of: int
    rules: RuleSet
    materialization_id: int = 0
    version: int = 0


class Names(NamedTuple):
    """Logins and full names by id, as far as identity knows them."""

    users: Mapping[int, str]
    repositories: Mapping[int, str]


@dataclass(frozen=True)
class Explained:
    """The answer: `lines` are those that were asked for, all else is of the whole ledger."""

    question: Question
    origin: Origin
    result: Result
    lines: LedgerLines
    ledger_line_count: int
    withheld: list[Withheld]
    members: list[MemberScore]
    bot_signals: int
    entity_name: str = ""
    names: Names = Names({}, {})  # noqa: RUF009 - nobody changes it
    references: Mapping[bytes, Reference] = field(default_factory=dict)


class LookUp:
    """Names what an explanation shows. Nothing of the signals beyond the lines is kept, so that a
    slow reader holds its ledger alone.
    """

    def __init__(self, signals: SignalSource, directory: Directory) -> None:
        self._signals = signals
        self._directory = directory

    async def __call__(
        self,
        question: Question,
        origin: Origin,
        evaluation: Evaluation,
        signals: Signals,
        found: Explanation,
    ) -> Explained:
        """Raises RemoteError."""
        told = await asyncio.to_thread(_told, question, origin, evaluation, signals, found)
        del evaluation, signals, found
        installation_id, kind = question.installation_id, question.entity_type
        people = {*told.lines.user_id.tolist(), *(each.user_id for each in told.members)}
        entity, users, repositories, references = await asyncio.gather(
            self._directory.names(installation_id, kind, [question.entity_id]),
            self._directory.names(installation_id, EntityType.CONTRIBUTOR, people),
            self._directory.names(
                installation_id, EntityType.REPOSITORY, set(told.lines.repository_id.tolist())
            ),
            self._references(installation_id, told.lines),
        )
        return replace(
            told,
            entity_name=entity.get(question.entity_id, ""),
            names=Names(users, repositories),
            references=references,
        )

    async def _references(
        self, installation_id: int, lines: LedgerLines
    ) -> Mapping[bytes, Reference]:
        if not len(lines):
            return {}
        part = Part(
            since=from_microseconds(int(lines.event_timestamp.min())),
            user_ids=_few(lines.user_id),
            repository_ids=_few(lines.repository_id),
        )
        until = from_microseconds(int(lines.event_timestamp.max()))
        hashes = lines.content_hash.tobytes()
        size = lines.content_hash.shape[1]
        return await self._signals.references(
            installation_id,
            until=until,
            part=part,
            wanted={hashes[at : at + size] for at in range(0, len(hashes), size)},
        )


def _told(
    question: Question,
    origin: Origin,
    evaluation: Evaluation,
    signals: Signals,
    found: Explanation,
) -> Explained:
    """The answer without names and references."""
    whole = lines_of(found.ledger, evaluation.timeline, signals, origin.rules)
    of_team = question.entity_type is EntityType.TEAM
    return Explained(
        question=question,
        origin=origin,
        result=found.family.result(found.row),
        lines=whole.passing(question.outcomes, question.types),
        ledger_line_count=len(whole),
        withheld=withheld_by_outcome(whole),
        members=member_scores(whole) if of_team else [],
        bot_signals=found.bot_signals,
    )


def _few(ids: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> list[int]:
    """The distinct ids; none, which means all, where there are too many to name."""
    distinct = np.unique(ids)
    return distinct.tolist() if len(distinct) <= _MOST_IDS else []
