"""Why one entity stands where it stands: its row of the board and the ledger that sums to it."""

from dataclasses import dataclass

import numpy as np

from laurel_scoring.domain.columns import Flags, Int32s, Int64s, positions_in
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.evaluation import Ledger, explain_runs
from laurel_scoring.domain.results import BoardFamily
from laurel_scoring.domain.vocabulary import EntityType, ScopeType


@dataclass(frozen=True)
class Explanation:
    """A family of boards, where the entity's row stands in it, and the entity's ledger.

    A team's ledger holds its members' lines, member by member; Ledger.entity says whose.
    bot_signals: how many signals of the entity count nowhere because bots made them.
    """

    family: BoardFamily
    row: int
    ledger: Ledger
    bot_signals: int


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
    scope = scope_position(evaluation, scope_type, scope_id)
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
    judged_positions = _judged(evaluation, entity_type, entity_id)
    runs = evaluation.runs(scope_type, judged).select(scope, judged_positions)
    ledger = explain_runs(
        evaluation.timeline,
        runs,
        evaluation.rules,
        evaluation.windows,
        limited=judged is EntityType.CONTRIBUTOR,
    )
    bots = _bot_signals(evaluation, scope_type, scope, judged, judged_positions)
    return Explanation(family, rows.start + int(found[0]), ledger, bots)


def scope_position(evaluation: Evaluation, scope_type: ScopeType, scope_id: int) -> int | None:
    """Where a scope stands among those of its kind; None where the installation has none such."""
    ids = evaluation.scope_ids(scope_type)
    found = int(positions_in(np.array([scope_id], dtype=np.int64), ids)[0])
    return None if found < 0 else found


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


def _bot_signals(
    evaluation: Evaluation,
    scope_type: ScopeType,
    scope: int,
    judged: EntityType,
    judged_positions: Int32s,
) -> int:
    """How many signals of those judged bots made within the scope."""
    line, left_out = evaluation.timeline, evaluation.left_out
    user, repository = line.user[left_out], line.repository[left_out]
    whose: Int32s = repository if judged is EntityType.REPOSITORY else user
    theirs: Flags = np.isin(whose, judged_positions)
    if scope_type is ScopeType.REPOSITORY:
        theirs &= repository == scope
    elif scope_type is ScopeType.TEAM:
        theirs &= _in_team(evaluation, scope, user, repository)
    return int(np.count_nonzero(theirs))


def _in_team(evaluation: Evaluation, team: int, user: Int32s, repository: Int32s) -> Flags:
    members: Int64s = evaluation.timeline.users[user]
    of_members: Flags = np.isin(members, sorted(evaluation.roster.teams[team].members))
    covered: Flags = evaluation.teams.covers[team, repository] == 1
    return of_members & covered
