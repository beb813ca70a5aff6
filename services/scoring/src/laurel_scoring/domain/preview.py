"""What other rules would make of a board: both boards side by side, and what each rule moved."""

from dataclasses import dataclass

import numpy as np

from laurel_scoring.domain.columns import Flags, Int32s, Int64s
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.results import BoardFamily
from laurel_scoring.domain.rule_changes import steps_between
from laurel_scoring.domain.rules import RuleSet
from laurel_scoring.domain.vocabulary import EntityType, ScopeType


@dataclass(frozen=True)
class RuleEffect:
    """What one changed rule moved: the net of all scores, the same without regard to sign, and
    how many scores it changed.
    """

    field: str
    points_e4: int
    moved_e4: int
    entity_count: int


@dataclass(frozen=True)
class Preview:
    """Two boards by themselves, of the same inputs, and the pairing of their rows.

    before, after: per entity its row on `current` and on `candidate`, -1 where it is not there.
    Entities stand by the candidate's order, then those that it leaves out by the current one.
    """

    current: BoardFamily
    candidate: BoardFamily
    before: Int64s
    after: Int64s
    effects: list[RuleEffect]

    def __len__(self) -> int:
        return len(self.before)

    def entity_ids(self) -> Int64s:
        """GitHub's ids of the entities."""
        current = _taken(self.current.entity_id, self.before)
        return np.where(self.after >= 0, _taken(self.candidate.entity_id, self.after), current)

    def ranks(self) -> tuple[Int64s, Int64s]:
        """Per entity its rank on either board; 0 where it is not there."""
        return _taken(self.current.rank, self.before), _taken(self.candidate.rank, self.after)

    def scores(self) -> tuple[Int64s, Int64s]:
        """Per entity its score on either board; 0 where it is not there."""
        former = _taken(self.current.score_e4, self.before)
        return former, _taken(self.candidate.score_e4, self.after)

    def in_top(self, size: int) -> tuple[Flags, Flags]:
        """Per entity whether it is among the first `size` places of either board."""
        former, coming = self.ranks()
        return (former > 0) & (former <= size), (coming > 0) & (coming <= size)


def preview(
    evaluation: Evaluation,
    candidate: RuleSet,
    scope_type: ScopeType,
    scope: int,
    entity_type: EntityType,
) -> Preview:
    """Tries `candidate` on the board of an evaluation that has one window and the current rules.

    The signals stay as they were read and sorted; each changed rule costs one more pass over the
    board's runs. Raises ScoreOutOfRange.
    """
    current = board = evaluation.family(scope_type, entity_type).alone(scope, 0)
    effects = []
    for field, rules in steps_between(evaluation.rules, candidate):
        evaluation = evaluation.under(rules)
        then = evaluation.family(scope_type, entity_type).alone(scope, 0)
        effects.append(_effect(field, board, then))
        board = then
    before, after = _paired(current, board)
    return Preview(current, board, before, after, effects)


def _effect(field: str, board: BoardFamily, then: BoardFamily) -> RuleEffect:
    ids = np.union1d(board.entity_id, then.entity_id)
    change = np.zeros(len(ids), dtype=np.int64)
    change[np.searchsorted(ids, then.entity_id)] += then.score_e4
    change[np.searchsorted(ids, board.entity_id)] -= board.score_e4
    return RuleEffect(
        field, int(change.sum()), int(np.abs(change).sum()), int(np.count_nonzero(change))
    )


def _paired(current: BoardFamily, candidate: BoardFamily) -> tuple[Int64s, Int64s]:
    ids = np.union1d(current.entity_id, candidate.entity_id)
    row_before = np.full(len(ids), -1, dtype=np.int64)
    row_before[np.searchsorted(ids, current.entity_id)] = np.arange(len(current.entity_id))
    coming = np.searchsorted(ids, candidate.entity_id)
    stays = np.zeros(len(ids), dtype=np.bool_)
    stays[coming] = True
    left = np.flatnonzero(~stays)
    left = left[np.argsort(row_before[left])]
    after = np.concatenate([np.arange(len(coming)), np.full(len(left), -1)]).astype(np.int64)
    return row_before[np.concatenate([coming, left])], after


def _taken(column: Int32s | Int64s, rows: Int64s) -> Int64s:
    padded = np.append(column, 0).astype(np.int64)
    taken: Int64s = padded[rows]
    return taken
