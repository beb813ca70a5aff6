"""COPY text for computed_scores, held against a row-by-row reading of it."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_leaderboard.domain.boards import EntityType, TimePeriod
from laurel_leaderboard.domain.rows import COUNTS, POINTS, GroupRows
from laurel_leaderboard.storage import score_copy
from laurel_leaderboard.storage.score_copy import WrittenBoard, copy_chunks
from tests.support.leaderboard_builders import CONTRIBUTORS, BoardOf, batch_of, rows_of

KINDS = {EntityType.CONTRIBUTOR: 0, EntityType.TEAM: 1, EntityType.REPOSITORY: 2}
boards = st.builds(
    BoardOf,
    st.dictionaries(
        st.integers(-(2**63), 2**63 - 1), st.integers(2 - 10**12, 10**12 - 20_001), max_size=6
    ),
    st.builds(
        lambda kind, period: CONTRIBUTORS._replace(entity_type=kind, time_period=period),
        st.sampled_from(EntityType),
        st.sampled_from(TimePeriod),
    ),
)


def lines_of(rows: GroupRows, written: list[WrittenBoard | None]) -> list[list[str]]:
    text = b"".join(bytes(chunk) for chunk in copy_chunks(rows, written)).decode()
    assert text == "" or text.endswith("\n")
    return [line.split("\t") for line in text.splitlines()]


def e4(value: Any) -> int:
    scaled = Decimal(value) * 10_000
    assert scaled == int(scaled)
    return int(scaled)


@given(st.lists(boards, min_size=1, max_size=4), st.integers(1, 5))
def test_every_value_of_every_row_arrives(group: list[BoardOf], chunk_rows: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score_copy, "CHUNK_ROWS", chunk_rows)
        written = [WrittenBoard(b.key, 100 + n, 1 + n) for n, b in enumerate(group)]
        lines = lines_of(rows_of(*group), list(written))
    rows = batch_of(*group).to_pylist()
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        board = written[row["board"]]
        kind = board.key.entity_type
        entity = [r"\N"] * 3
        entity[KINDS[kind]] = str(row["entity_id"])
        assert line[:6] == [str(board.materialization_id), kind, *entity, board.key.time_period]
        assert e4(line[6]) == row["score_e4"]
        breakdown = json.loads(line[7], parse_float=Decimal)
        assert {f"{k}_e4": e4(v) for k, v in breakdown.items()} == {k: row[k] for k in POINTS}
        counts = json.loads(line[8])
        assert {f"count_{k}": v for k, v in counts.items()} == {k: row[k] for k in COUNTS}
        members = r"\N" if row["member_count"] is None else str(row["member_count"])
        assert line[9:] == [
            *(str(row[name]) for name in ("additions", "deletions", "rank")),
            members,
            str(board.version),
        ]


def test_no_rows_make_no_text() -> None:
    assert lines_of(rows_of(BoardOf({})), [WrittenBoard(CONTRIBUTORS, 1, 1)]) == []


def test_rows_that_were_sliced_off_do_not_come_along() -> None:
    rows = rows_of(BoardOf({1: 3, 2: 2, 3: 1}))
    sliced = GroupRows(rows.table.slice(1, 1))
    [line] = lines_of(sliced, [WrittenBoard(CONTRIBUTORS, 1, 1)])
    assert line[2] == "2"
