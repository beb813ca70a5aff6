"""Why one entity stands where it stands: its row of the board and the ledger that sums to it."""

from dataclasses import dataclass

import numpy as np

from laurel_scoring.domain.columns import Int32s, positions_in
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.evaluation import Ledger, explain_runs
from laurel_scoring.domain.results import BoardFamily
from laurel_scoring.domain.vocabulary import EntityType, ScopeType


@dataclass(frozen=True)
class Explanation:
    """A family of boards, where the entity's row stands in it, and the entity's ledger.

    A team's ledger holds its members' lines, member by member; Ledger.entity says whose.
    """

    family: BoardFamily
    row: int
    ledger: Ledger


def explain(
    evaluation: Evaluation,
    scope_type: ScopeType,
    scope_id: int,
    entity_type: EntityType,
    entity_id: int,
) -> Explanation | None:
    """Explains one entity on the board of an evaluation that has one window.

    None where the entity is not on that board.
    """
    scope = _position(scope_id, evaluation.scope_ids(scope_type))
    if scope is None:
        return None
    family = evaluation.family(scope_type, entity_type)
    rows = family.board(scope, 0)
    found = np.flatnonzero(family.entity_id[rows] == entity_id)
    if len(found) == 0:
        return None
    judged = EntityType.REPOSITORY
    if entity_type is not EntityType.REPOSITORY:
        judged = EntityType.CONTRIBUTOR
    runs = evaluation.runs(scope_type, judged).select(
        scope, _judged(evaluation, entity_type, entity_id)
    )
    ledger = explain_runs(
        evaluation.timeline,
        runs,
        evaluation.rules,
        evaluation.windows,
        limited=judged is EntityType.CONTRIBUTOR,
    )
    return Explanation(family, rows.start + int(found[0]), ledger)


def _judged(evaluation: Evaluation, entity_type: EntityType, entity_id: int) -> Int32s:
    """Positions of those whose signals make the entity's result."""
    if entity_type is EntityType.TEAM:
        teams = {team.id: team for team in evaluation.roster.teams}
        members = np.array(sorted(teams[entity_id].members), dtype=np.int64)
        return positions_in(members, evaluation.timeline.users)
    ids = evaluation.timeline.users
    if entity_type is EntityType.REPOSITORY:
        ids = evaluation.repositories
    return positions_in(np.array([entity_id], dtype=np.int64), ids)


def _position(number: int, ids: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int | None:
    found = int(positions_in(np.array([number], dtype=np.int64), ids)[0])
    return None if found < 0 else found
