"""Which calls get a line of the access log."""

from typing import Any

import grpc
import pytest
import structlog
from structlog.testing import capture_logs

from laurel_common.metrics import RpcMetrics
from laurel_common.rpc.call import Call
from laurel_common.rpc.interceptors import access_log
from laurel_common.rpc.interceptors.access_log import AccessLogStep
from laurel_common.rpc.policy import MethodRule


class Context:
    """As much of gRPC's context as a line tells of."""

    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Any:
    with capture_logs() as seen:
        monkeypatch.setattr(access_log, "log", structlog.get_logger())
        yield seen


def test_good_calls_are_a_sample_and_ten_a_second_at_most(lines: list[Any]) -> None:
    now = [1_000.0]
    step = AccessLogStep(RpcMetrics(), sample=3, slow=1, now=lambda: now[0])

    def see(count: int, code: grpc.StatusCode = grpc.StatusCode.OK, seconds: float = 0) -> int:
        """The lines that so many calls leave."""
        before = len(lines)
        for _ in range(count):
            call = Call(MethodRule("/s/M"), Context(), (), streaming=False)
            call.started, call.code = now[0] - seconds, code
            step.leave(call)
        return len(lines) - before

    assert see(2) == 0
    assert see(1) == 1
    assert see(300) == 9
    # What went wrong is told however much is told already, and so is what was slow.
    assert see(20, grpc.StatusCode.NOT_FOUND) == 20
    assert see(20, grpc.StatusCode.INTERNAL) == 20
    assert see(20, seconds=1) == 20
    now[0] += 0.9
    assert see(30) == 0
    now[0] += 0.1
    assert see(60) == 10
