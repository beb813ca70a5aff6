"""What a publishing group's rows are held against."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_leaderboard.domain.errors import MalformedBatch
from laurel_leaderboard.domain.rows import SCHEMA, check_group, read_rows
from tests.support.leaderboard_builders import TEAMS, BoardOf, batch_of, ipc

BOARD = BoardOf({1: 30, 2: 20, 3: 20, 4: 10})
scores = st.dictionaries(st.integers(-(2**62), 2**62), st.integers(-50, 50), max_size=12)


def check(*boards: BoardOf, **replaced: Sequence[Any]) -> int:
    rows = check_group([board.new() for board in boards], [batch_of(*boards, **replaced)])
    return int(rows.table.num_rows)


@given(st.lists(scores, min_size=1, max_size=5))
def test_boards_ranked_by_the_rule_are_taken(boards: list[dict[int, int]]) -> None:
    made = [BoardOf(each) for each in boards]
    assert check(*made) == sum(map(len, boards))


@given(scores.filter(lambda found: len(found) > 1), st.data())
def test_any_other_rank_is_refused(found: dict[int, int], data: st.DataObject) -> None:
    board = BoardOf(found)
    ranks = batch_of(board).column("rank").to_pylist()
    place = data.draw(st.integers(0, len(ranks) - 1))
    ranks[place] += data.draw(st.sampled_from([-1, 1, 1000]))
    with pytest.raises(MalformedBatch, match="rank does not follow"):
        check(board, rank=ranks)


@given(scores.filter(lambda found: len(found) > 1), st.randoms())
def test_any_other_order_is_refused(found: dict[int, int], random: Any) -> None:
    board = BoardOf(found)
    batch = batch_of(board)
    order = list(range(len(found)))
    random.shuffle(order)
    if order == sorted(order):
        order.reverse()
    with pytest.raises(MalformedBatch, match="do not stand by"):
        check_group([board.new()], [batch.take(pa.array(order))])


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        ({"board": [0, 0, 0, 1]}, "index"),
        ({"board": [-1, 0, 0, 0]}, "index"),
        ({"entity_id": [1, 3, 2, 4]}, "tie"),
        ({"entity_id": [1, 2, 2, 4]}, "tie"),
        ({"entity_id": [1, 2, 3, 1]}, "twice"),
        ({"rank": [1, 2, 3, 4]}, "rank"),
        ({"rank": [1, 2, 2, 3]}, "rank"),
        ({"rank": [0, 2, 2, 4]}, "rank"),
        ({"comments_e4": [1, 0, 0, 0]}, "sum"),
        ({"comments_e4": [10**12, 0, 0, 0]}, "beyond"),
        ({"comments_e4": [2**63 - 1, 0, 0, 0]}, "beyond"),
        ({"comments_e4": [-(2**63), 0, 0, 0]}, "beyond"),
        ({"penalties_e4": [1, 0, 0, 0], "commits_e4": [29, 20, 20, 10]}, "positive"),
        ({"count_spam": [0, -1, 0, 0]}, "count_spam"),
        ({"additions": [0, -1, 0, 0]}, "additions"),
        ({"deletions": [0, -1, 0, 0]}, "deletions"),
        ({"member_count": [None, 1, None, None]}, "member_count"),
    ],
)
def test_rows_that_can_not_be_true_are_refused(replaced: dict[str, list[Any]], said: str) -> None:
    with pytest.raises(MalformedBatch, match=said):
        check(BOARD, **replaced)


def test_teams_have_members_and_not_less_than_none() -> None:
    teams = BoardOf({801: 5, 802: 4}, TEAMS)
    assert check(teams) == 2
    for counts in ([4, None], [4, -1]):
        with pytest.raises(MalformedBatch, match="member_count"):
            check(teams, member_count=counts)


def test_the_board_with_another_number_of_rows_is_named() -> None:
    boards = [BOARD.new(), BoardOf({1: 1, 2: 1}).new()]
    with pytest.raises(MalformedBatch) as failed:
        check_group(boards, [batch_of(BOARD, BoardOf({1: 1}))])
    assert [violation.field for violation in failed.value.violations] == ["boards[1].row_count"]


def test_rows_may_come_in_any_number_of_batches() -> None:
    batch = batch_of(BOARD)
    parts = [batch.slice(0, 1), batch.slice(1, 0), batch.slice(1)]
    assert check_group([BOARD.new()], parts).table.num_rows == 4
    assert check_group([BoardOf({}).new()], []).table.num_rows == 0


def test_the_rows_of_some_boards_are_taken_out() -> None:
    boards = [BoardOf({1: 1}), BoardOf({2: 1, 3: 1}), BoardOf({4: 1})]
    rows = check_group([board.new() for board in boards], [batch_of(*boards)])
    assert rows.of_boards([0, 2]).table.column("entity_id").to_pylist() == [1, 4]


def test_a_stream_is_read_back_whatever_it_declares_nullable() -> None:
    batch = batch_of(BOARD)
    nullable = pa.schema([pa.field(f.name, f.type) for f in SCHEMA], metadata={"made": "by"})
    raw = ipc(pa.RecordBatch.from_arrays(batch.columns, schema=nullable))
    assert [found.to_pylist() for found in read_rows(raw)] == [batch.to_pylist()]


def test_a_null_where_there_may_be_none_is_refused() -> None:
    nullable = pa.schema([pa.field(f.name, f.type) for f in SCHEMA])
    rows = batch_of(BOARD).to_pylist()
    rows[2]["additions"] = None
    with pytest.raises(MalformedBatch, match="additions has a null"):
        read_rows(ipc(pa.RecordBatch.from_pylist(rows, schema=nullable)))


WHOLE = ipc(batch_of(BOARD))


@given(st.integers(0, len(WHOLE) - 1))
def test_a_stream_cut_anywhere_is_refused_or_whole(end: int) -> None:
    """The last eight bytes only say that nothing follows."""
    try:
        found = read_rows(WHOLE[:end])
    except MalformedBatch:
        return
    assert sum(batch.num_rows for batch in found) in (0, 4)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_stream_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedBatch):
        read_rows(raw)
