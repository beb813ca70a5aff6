"""What the validation step remembers, and what it never does."""

from typing import Any

import pytest

from laurel.leaderboard.v1 import leaderboard_pb2
from laurel_common.errors import InvalidRequest
from laurel_common.rpc.call import Call
from laurel_common.rpc.interceptors.validation import ValidationStep
from laurel_common.rpc.policy import MethodRule

PATH = "/laurel.leaderboard.v1.LeaderboardService/ListBoards"


def message(step: ValidationStep, request: Any, path: str = PATH) -> None:
    call = Call(MethodRule(path=path), None, (), streaming=False)
    call.raw = request.SerializeToString()
    step.message(call, request)


def test_a_request_that_has_passed_passes_again() -> None:
    step = ValidationStep([])

    for _ in range(2):
        message(step, leaderboard_pb2.ListBoardsRequest(installation_id=7))


def test_a_bad_request_is_refused_every_time_with_its_field() -> None:
    step = ValidationStep([])
    message(step, leaderboard_pb2.ListBoardsRequest(installation_id=7))

    for _ in range(2):
        with pytest.raises(InvalidRequest) as refused:
            message(step, leaderboard_pb2.ListBoardsRequest(page_size=-1))
        assert [each.field for each in refused.value.violations] == [
            "installation_id",
            "page_size",
        ]


def test_bytes_that_are_good_for_one_method_are_looked_at_for_another() -> None:
    step = ValidationStep([])
    good = leaderboard_pb2.ListBoardsRequest(installation_id=7)
    bad = leaderboard_pb2.GetLeaderboardRequest()
    bad.ParseFromString(b"")
    message(step, good)
    message(step, leaderboard_pb2.Entity(), path="/laurel.x.v1.X/Y")

    with pytest.raises(InvalidRequest):
        message(step, bad)


def test_what_is_remembered_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("laurel_common.rpc.interceptors.validation._MAX_REMEMBERED", 3)
    step = ValidationStep([])

    for number in range(1, 20):
        message(step, leaderboard_pb2.ListBoardsRequest(installation_id=number))

    assert len(step._passed) <= 3
