"""The rows of a publishing group as Arrow columns, and what must be true of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from laurel_leaderboard.domain.boards import EntityType
from laurel_leaderboard.domain.errors import MalformedBatch
from laurel_leaderboard.domain.versions import NewBoard

POINTS = (
    "commits_e4",
    "pull_requests_e4",
    "reviews_e4",
    "issues_e4",
    "comments_e4",
    "penalties_e4",
)
COUNTS = (
    "count_commit",
    "count_pr_open",
    "count_pr_merge",
    "count_pr_close_no_merge",
    "count_issue_open",
    "count_issue_close",
    "count_review",
    "count_review_comment",
    "count_comment",
    "count_spam",
)
SCHEMA = pa.schema(
    [
        pa.field("board", pa.int32(), nullable=False),
        pa.field("entity_id", pa.int64(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("score_e4", pa.int64(), nullable=False),
        *(pa.field(name, pa.int64(), nullable=False) for name in POINTS),
        *(pa.field(name, pa.int32(), nullable=False) for name in COUNTS),
        pa.field("additions", pa.int32(), nullable=False),
        pa.field("deletions", pa.int32(), nullable=False),
        pa.field("member_count", pa.int32()),
    ]
)
# numeric(12,4), exclusive, in ten-thousandths.
SCORE_LIMIT_E4 = 10**12

Ints = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class GroupRows:
    """The rows of a whole group by board and rank; `table` has SCHEMA."""

    table: pa.Table

    def of_boards(self, wanted: Sequence[int]) -> "GroupRows":
        """The rows of the boards with these indices."""
        mask = np.isin(_ints(self.table, "board"), np.asarray(wanted, dtype=np.int32))
        return GroupRows(self.table.filter(pa.array(mask)))


def read_rows(data: bytes) -> list[pa.RecordBatch]:
    """The record batches of one Arrow IPC stream.

    Raises MalformedBatch for anything but a whole stream of SCHEMA's columns without a null where
    there may be none. Columns may be declared nullable and may carry metadata.
    """
    try:
        with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
            _check_columns(reader.schema)
            batches = list(reader)
        for batch in batches:
            batch.validate(full=True)
    except (pa.ArrowException, OSError, EOFError) as error:
        raise MalformedBatch("not an Arrow IPC stream of the documented columns") from error
    return [_checked(batch) for batch in batches]


def _check_columns(schema: pa.Schema) -> None:
    if schema.names != SCHEMA.names or schema.types != SCHEMA.types:
        raise MalformedBatch("the columns are not the documented ones")


def _checked(batch: pa.RecordBatch) -> pa.RecordBatch:
    for field, column in zip(SCHEMA, batch.columns, strict=True):
        if column.null_count and not field.nullable:
            raise MalformedBatch(f"{field.name} has a null")
    return pa.RecordBatch.from_arrays(batch.columns, schema=SCHEMA)


def check_group(boards: Sequence[NewBoard], batches: Sequence[pa.RecordBatch]) -> GroupRows:
    """The rows of a group, held against its boards.

    Raises MalformedBatch unless they stand by board and rank, each board has as many as it says,
    no entity twice, ranks follow from scores, and scores from breakdowns.
    """
    table = pa.Table.from_batches(batches, schema=SCHEMA)
    board = _ints(table, "board")
    _check_counts(boards, board)
    if len(board) == 0:
        return GroupRows(table)
    _check_order(board, _ints(table, "score_e4"), _ints(table, "entity_id"), _ints(table, "rank"))
    _check_entities(board, _ints(table, "entity_id"))
    _check_values(table)
    _check_members(boards, board, table.column("member_count"))
    return GroupRows(table)


def _ints(table: pa.Table, name: str) -> Ints:
    found: Ints = table.column(name).to_numpy()
    return found


def _check_counts(boards: Sequence[NewBoard], board: Ints) -> None:
    if len(board) and (board.min() < 0 or board.max() >= len(boards)):
        raise MalformedBatch("board is not an index into the group's boards")
    said = np.array([each.row_count for each in boards], dtype=np.int64)
    wrong = np.flatnonzero(np.bincount(board, minlength=len(boards)) != said)
    if len(wrong):
        raise MalformedBatch(
            "another number of rows arrived", field=f"boards[{wrong[0]}].row_count"
        )


def _check_order(board: Ints, score: Ints, entity: Ints, rank: Ints) -> None:
    """By board; within one by score, highest first; within a tie by id; 1, 2, 2, 4."""
    same = board[1:] == board[:-1]
    tie = same & (score[1:] == score[:-1])
    if np.any(board[1:] < board[:-1]) or np.any(same & (score[1:] > score[:-1])):
        raise MalformedBatch("rows do not stand by board and rank")
    if np.any(tie & (entity[1:] <= entity[:-1])):
        raise MalformedBatch("rows of a tie do not stand by entity_id")
    index = np.arange(len(board))
    first_of_board = np.maximum.accumulate(np.where(np.r_[True, ~same], index, 0))
    first_of_tie = np.maximum.accumulate(np.where(np.r_[True, ~tie], index, 0))
    if np.any(rank != first_of_tie - first_of_board + 1):
        raise MalformedBatch("rank does not follow from score_e4")


def _check_entities(board: Ints, entity: Ints) -> None:
    order = np.lexsort((entity, board))
    twice = (board[order][1:] == board[order][:-1]) & (entity[order][1:] == entity[order][:-1])
    if np.any(twice):
        raise MalformedBatch("an entity stands twice on a board")


def _check_values(table: pa.Table) -> None:
    score = _ints(table, "score_e4")
    points = [_ints(table, name) for name in POINTS]
    # Bounded first: sums of anything else could wrap around to what is said.
    if any(np.any((each <= -SCORE_LIMIT_E4) | (each >= SCORE_LIMIT_E4)) for each in points):
        raise MalformedBatch("points beyond 99,999,999.9999")
    if np.any(np.abs(score) >= SCORE_LIMIT_E4) or np.any(sum(points) != score):
        raise MalformedBatch("score_e4 is not the sum of its breakdown")
    if np.any(_ints(table, "penalties_e4") > 0):
        raise MalformedBatch("penalties_e4 is positive")
    for name in (*COUNTS, "additions", "deletions"):
        if np.any(_ints(table, name) < 0):
            raise MalformedBatch(f"{name} is negative")


def _check_members(boards: Sequence[NewBoard], board: Ints, member_count: pa.ChunkedArray) -> None:
    teams = np.array([each.key.entity_type is EntityType.TEAM for each in boards])
    if np.any(member_count.is_valid().to_numpy() != teams[board]):
        raise MalformedBatch("member_count is for teams, and for each of them")
    if np.any(member_count.fill_null(0).to_numpy() < 0):
        raise MalformedBatch("member_count is negative")
