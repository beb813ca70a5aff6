"""Names for inputs and results: equal names mean equal things."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from laurel_scoring.domain.results import BoardFamily
from laurel_scoring.domain.roster import Roster
from laurel_scoring.domain.vocabulary import EntityType, ScopeType, TimePeriod


def input_mark(signals_mark: str, roster: Roster) -> str:
    """Names what a run reads: the signals, as ingest marks them, and the roster."""
    digest = hashlib.sha256(signals_mark.encode())
    for ids in (roster.repositories, roster.bots):
        _add(digest, sorted(ids))
    for team in roster.teams:
        _add(digest, [team.id])
        _add(digest, sorted(team.members))
        _add(digest, sorted(team.repositories))
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", ids: list[int]) -> None:
    digest.update(len(ids).to_bytes(4, "little"))
    digest.update(np.array(ids, dtype="<i8").tobytes())


def board_digests(family: BoardFamily, rules_json: str) -> Iterator[bytes]:
    """Each board's SHA-256 over the rules and its rows; ranks follow from scores and ids."""
    rules = hashlib.sha256(rules_json.encode()).digest()
    columns: list[npt.NDArray[Any]] = [
        family.entity_id,
        family.score_e4,
        family.breakdown_e4,
        family.counts,
        family.additions,
        family.deletions,
    ]
    if family.member_count is not None:
        columns.append(family.member_count)
    for first, end in pairwise(family.board_start.tolist()):
        digest = hashlib.sha256(rules)
        for column in columns:
            digest.update(column[first:end].tobytes())
        yield digest.digest()


@dataclass(frozen=True)
class FamilyChanges:
    """A family, each of its boards' digests, and the numbers of those that are to be published."""

    family: BoardFamily
    digests: Sequence[bytes]
    changed: Sequence[int]


BoardName = tuple[ScopeType, int, EntityType, TimePeriod]
"""A board of a preset: kind and id of its scope, kind of its entities, period."""


def board_names(family: BoardFamily, periods: Sequence[TimePeriod]) -> Iterator[BoardName]:
    """The names of a family's boards, in their order."""
    for scope_id in family.scope_ids.tolist():
        for period in periods:
            yield family.scope_type, scope_id, family.entity_type, period
