"""Turns the rows of a group into COPY text for computed_scores, column by column.

Every value is written by Arrow's kernels; no row becomes a Python object.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from laurel_leaderboard.domain.boards import BoardKey, EntityType
from laurel_leaderboard.domain.rows import COUNTS, POINTS, GroupRows

COPY_SCORES = (
    "COPY computed_scores (materialization_id, entity_type, user_id, scored_team_id,"
    " scored_repo_id, time_period, score, breakdown, counts, additions, deletions, rank,"
    " member_count, version) FROM STDIN"
)
# Rows encoded at a time: PostgreSQL works on one chunk while the next one is being made.
CHUNK_ROWS = 8192

_NULL = r"\N"
_BEFORE_ENTITY = {
    EntityType.CONTRIBUTOR: "",
    EntityType.TEAM: f"{_NULL}\t",
    EntityType.REPOSITORY: f"{_NULL}\t{_NULL}\t",
}
_AFTER_ENTITY = {
    EntityType.CONTRIBUTOR: f"\t{_NULL}\t{_NULL}",
    EntityType.TEAM: f"\t{_NULL}",
    EntityType.REPOSITORY: "",
}
# Points are whole ten-thousandths: PostgreSQL and JSON both read 825000e-4 as 82.5000.
_E4 = "e-4"


@dataclass(frozen=True, slots=True)
class WrittenBoard:
    """A board of the group and the version that its rows go to; None where they go nowhere."""

    key: BoardKey
    materialization_id: int
    version: int


def copy_chunks(rows: GroupRows, boards: Sequence[WrittenBoard | None]) -> Iterator[pa.Buffer]:
    """COPY text for `rows`, chunk by chunk; every board that has rows must be written."""
    heads = pa.array([_head(board) for board in boards], pa.string())
    middles = pa.array([_middle(board) for board in boards], pa.string())
    tails = pa.array([_tail(board) for board in boards], pa.string())
    for batch in rows.table.combine_chunks().to_batches(max_chunksize=CHUNK_ROWS):
        yield _encode(batch, heads, middles, tails)


def _head(board: WrittenBoard | None) -> str | None:
    if board is None:
        return None
    kind = board.key.entity_type
    return f"{board.materialization_id}\t{kind}\t{_BEFORE_ENTITY[kind]}"


def _middle(board: WrittenBoard | None) -> str | None:
    if board is None:
        return None
    return f"{_AFTER_ENTITY[board.key.entity_type]}\t{board.key.time_period}\t"


def _tail(board: WrittenBoard | None) -> str | None:
    return None if board is None else f"\t{board.version}\n"


def _encode(
    batch: pa.RecordBatch, heads: pa.Array, middles: pa.Array, tails: pa.Array
) -> pa.Buffer:
    """The lines of one chunk: an Arrow string column's data is its strings back to back."""
    board = batch.column("board")
    pieces: list[pa.Array | str] = [heads.take(board), _text(batch, "entity_id")]
    pieces += [middles.take(board), _text(batch, "score_e4"), f"{_E4}\t"]
    pieces += _json(batch, POINTS, lambda name: name.removesuffix("_e4"), _E4)
    pieces.append("\t")
    pieces += _json(batch, COUNTS, lambda name: name.removeprefix("count_"), "")
    for name in ("additions", "deletions", "rank"):
        pieces += ["\t", _text(batch, name)]
    pieces += ["\t", _text(batch, "member_count").fill_null(_NULL), tails.take(board)]
    lines = pc.binary_join_element_wise(*pieces, "")
    size = lines.offset + len(lines)
    end = pa.Array.from_buffers(pa.int32(), size + 1, [None, lines.buffers()[1]])[size].as_py()
    return lines.buffers()[2].slice(0, end)


def _text(batch: pa.RecordBatch, name: str) -> pa.Array:
    return batch.column(name).cast(pa.string())


def _json(
    batch: pa.RecordBatch, names: Sequence[str], key_of: Callable[[str], str], unit: str
) -> list[pa.Array | str]:
    """The pieces of one JSON object of numbers."""
    pieces: list[pa.Array | str] = []
    opening = "{"
    for name in names:
        pieces += [f'{opening}"{key_of(name)}":', _text(batch, name)]
        opening = f"{unit},"
    return [*pieces, f"{unit}}}"]
