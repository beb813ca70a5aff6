"""What scoring a family of scopes results in: ranked rows as columns, cut into boards."""

# Compiled code takes bare arrays, by position.
# mypy: allow-untyped-defs, allow-untyped-calls

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from laurel_scoring.domain.columns import Int32s, Int64s
from laurel_scoring.domain.compiling import compiled
from laurel_scoring.domain.errors import ScoreOutOfRange
from laurel_scoring.domain.parallel import in_parts
from laurel_scoring.domain.vocabulary import EntityType, ScopeType

SCORE_LIMIT_E4 = 10**12 - 1
"""The greatest score that the database's numeric(12,4) holds, in ten-thousandths."""


@dataclass(frozen=True)
class Rows:
    """Results of entities, grouped by board, before or after ranking; R rows.

    entity: positions in the ids of the entity's kind. breakdown_e4: R x 6 in Category order.
    counts: R x 10 in SignalType order. lines: R x 2 (additions, deletions), at most 2,147,483,647
    each. board_start: where each board's rows begin, and the end; boards are scope-major, the
    windows within.
    """

    entity: Int32s
    breakdown_e4: Int64s
    counts: Int32s
    lines: Int32s
    board_start: Int64s

    def __len__(self) -> int:
        return len(self.entity)


_ROW_COLUMNS = (
    "entity_id",
    "rank",
    "score_e4",
    "breakdown_e4",
    "counts",
    "additions",
    "deletions",
)


@dataclass(frozen=True)
class BoardFamily:
    """Every board of one kind of scope and one kind of entity, ranked.

    Board number s x windows + w covers scope_ids[s] in window w; its rows are
    board_start[b]:board_start[b + 1], best rank first. signal_count: per board, the signals
    that its scope and window hold (bots left out where the rules leave them out).
    member_count is None for entities that are not teams.
    """

    scope_type: ScopeType
    entity_type: EntityType
    scope_ids: Int64s
    windows: int
    board_start: Int64s
    signal_count: Int64s
    entity_id: Int64s
    rank: Int32s
    score_e4: Int64s
    breakdown_e4: Int64s
    counts: Int32s
    additions: Int32s
    deletions: Int32s
    member_count: Int32s | None

    def __len__(self) -> int:
        return len(self.board_start) - 1

    def alone(self, scope: int, window: int) -> "BoardFamily":
        """One board by itself, copied: it keeps nothing of the others alive."""
        rows, number = self.board(scope, window), scope * self.windows + window
        columns = {name: getattr(self, name)[rows].copy() for name in _ROW_COLUMNS}
        members = None if self.member_count is None else self.member_count[rows].copy()
        return replace(
            self,
            scope_ids=self.scope_ids[scope : scope + 1].copy(),
            windows=1,
            board_start=np.array([0, rows.stop - rows.start], dtype=np.int64),
            signal_count=self.signal_count[number : number + 1].copy(),
            member_count=members,
            **columns,
        )

    @property
    def nbytes(self) -> int:
        """What the rows take in memory."""
        members = 0 if self.member_count is None else int(self.member_count.nbytes)
        return members + sum(int(getattr(self, name).nbytes) for name in _ROW_COLUMNS)

    def result(self, row: int) -> "Result":
        """One row by itself."""
        return Result(
            rank=int(self.rank[row]),
            entity_id=int(self.entity_id[row]),
            score_e4=int(self.score_e4[row]),
            breakdown_e4=tuple(self.breakdown_e4[row].tolist()),
            counts=tuple(self.counts[row].tolist()),
            additions=int(self.additions[row]),
            deletions=int(self.deletions[row]),
            member_count=None if self.member_count is None else int(self.member_count[row]),
        )

    def board(self, scope: int, window: int) -> slice:
        """The rows of one board."""
        number = scope * self.windows + window
        return slice(int(self.board_start[number]), int(self.board_start[number + 1]))

    def rows_of(self, numbers: Sequence[int]) -> Int64s:
        """The rows of some boards, board after board."""
        if len(numbers) == len(self):
            return np.arange(self.board_start[-1], dtype=np.int64)
        pieces = [np.arange(self.board_start[n], self.board_start[n + 1]) for n in numbers]
        return np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Result:
    """One place on a board. breakdown_e4 in Category order, counts in SignalType order."""

    rank: int
    entity_id: int
    score_e4: int
    breakdown_e4: tuple[int, ...]
    counts: tuple[int, ...]
    additions: int
    deletions: int
    member_count: int | None


def ranked(
    rows: Rows,
    *,
    scope_type: ScopeType,
    entity_type: EntityType,
    scope_ids: Int64s,
    entity_ids: Int64s,
    windows: int,
    signal_count: Int64s,
    member_count: Int32s | None = None,
) -> BoardFamily:
    """Ranks `rows`, whose boards each list entities by ascending id.

    Raises ScoreOutOfRange where a score does not fit the database's column.
    """
    score = total(rows)
    order, rank = places(score, rows.board_start)
    entity = rows.entity[order]
    return BoardFamily(
        scope_type=scope_type,
        entity_type=entity_type,
        scope_ids=scope_ids,
        windows=windows,
        board_start=rows.board_start,
        signal_count=signal_count,
        entity_id=entity_ids[entity],
        rank=rank,
        score_e4=score[order],
        breakdown_e4=rows.breakdown_e4[order],
        counts=rows.counts[order],
        additions=rows.lines[order, 0],
        deletions=rows.lines[order, 1],
        member_count=None if member_count is None else member_count[entity],
    )


def total(rows: Rows) -> Int64s:
    """The scores of `rows`: the sum of each breakdown, checked against the column's range."""
    parts_fit = bool(np.all(np.abs(rows.breakdown_e4) < 10**17))
    score: Int64s = rows.breakdown_e4.sum(axis=1)
    if not parts_fit or bool(np.any(np.abs(score) > SCORE_LIMIT_E4)):
        raise ScoreOutOfRange
    return score


def places(score: Int64s, board_start: Int64s) -> tuple[Int64s, Int32s]:
    """The rows of each board, highest score first, and the rank at each place: equal scores share
    one, and the next is skipped. Within a tie the rows keep their order.
    """
    order, rank = np.empty(len(score), dtype=np.int64), np.empty(len(score), dtype=np.int32)
    in_parts(
        lambda first, end: _place(score, board_start[first : end + 1], order, rank), board_start
    )
    return order, rank


@compiled
def _place(score, board_start, order, rank):
    """See places; board_start holds the boards that are to be done."""
    for board in range(len(board_start) - 1):
        first, end = board_start[board], board_start[board + 1]
        best = np.argsort(-score[first:end], kind="mergesort")
        for at in range(first, end):
            order[at] = first + best[at - first]
            tied = at > first and score[order[at]] == score[order[at - 1]]
            rank[at] = rank[at - 1] if tied else at - first + 1
