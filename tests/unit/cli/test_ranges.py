"""Ranges of time and words of enums as people type them."""

from datetime import UTC, datetime, timedelta

import pytest

from laurel.common.v1 import board_pb2, types_pb2
from laurel.scoring.v1 import explanation_pb2
from laurel_cli.errors import UsageError
from laurel_cli.rpc.lookups import parse_enum
from laurel_cli.rpc.ranges import in_range, range_of, range_words


def test_days_are_utc_and_moments_what_they_say() -> None:
    window = range_of("2026-03-01", "2026-03-02T00:30:00+01:00")
    assert window is not None
    start, end = window
    assert start == datetime(2026, 3, 1, tzinfo=UTC)
    assert end - start == timedelta(hours=23, minutes=30)
    board = board_pb2.Board(installation_id=7, scope_type=types_pb2.SCOPE_TYPE_TEAM, scope_id=3)
    found = in_range(board, window)
    assert (found.installation_id, found.scope_type, found.scope_id) == (7, 2, 3)
    assert found.end_time.ToDatetime(tzinfo=UTC) == end


def test_without_options_there_is_no_range() -> None:
    assert range_of("", "") is None
    assert not range_words("", "")
    assert range_words("2026-03-01", "2026-04-01") == "2026-03-01 to 2026-04-01"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param("2026-03-01", "", id="no end"),
        pytest.param("", "2026-03-01", id="no start"),
        pytest.param("yesterday", "2026-03-01", id="no day"),
        pytest.param("2026-03-01", "2026-03-01", id="nothing between"),
    ],
)
def test_what_is_no_range_is_refused(start: str, end: str) -> None:
    with pytest.raises(UsageError, match=r"--from|--to"):
        range_of(start, end)


def test_words_of_an_enum_are_its_names_without_their_prefix() -> None:
    assert parse_enum("--type", "pr-merge", types_pb2.SignalType) == 3
    assert parse_enum("--outcome", "daily_quota", explanation_pb2.Outcome) == 8
    with pytest.raises(UsageError, match="--outcome is one of earned, penalty_only"):
        parse_enum("--outcome", "lost", explanation_pb2.Outcome)
