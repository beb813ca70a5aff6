"""Counts every call, and logs all of the bad and slow ones and a sample of the good ones."""

import time
from collections.abc import Callable
from typing import Any, Final

import grpc
import structlog

from laurel_common.errors import NotServing
from laurel_common.metrics import RpcMetrics
from laurel_common.rpc.call import Call, Step

log = structlog.get_logger("laurel.access")
_FAULTS_OF_OURS = {
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DATA_LOSS,
    grpc.StatusCode.UNAVAILABLE,
}
# Of good calls, however many there are: a line costs several times what the chain takes.
_MOST_A_SECOND: Final = 10


class AccessLogStep(Step):
    """One line a call: all that failed or took `slow` seconds, and every `sample`-th good one, ten
    a second at most.

    Long streams are slow by nature and count as good, also where our stopping ends them; who calls
    before we serve has met no fault.
    """

    def __init__(
        self,
        metrics: RpcMetrics,
        *,
        sample: int,
        slow: float,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`now` is the clock that calls are timed by."""
        self._metrics = metrics
        self._sample = sample
        self._slow = slow
        self._now = now
        self._good = 0
        # Of the second that began then, how many good ones have been logged.
        self._second = 0.0
        self._logged = 0

    def leave(self, call: Call) -> None:
        """Records how the call went."""
        now = self._now()
        seconds = now - call.started
        self._metrics.record(call.rule.path, call.code, seconds)
        if call.code is grpc.StatusCode.OK or isinstance(call.ended_by, NotServing):
            self._good += 1
            slow = seconds >= self._slow and not call.streaming
            if slow or (self._good % self._sample == 0 and self._may_log(now)):
                log.info("call", **_fields(call, seconds), slow=slow)
        elif call.code in _FAULTS_OF_OURS and not isinstance(call.error, NotServing):
            log.error("call", **_fields(call, seconds), exc_info=call.error)
        else:
            log.info("call", **_fields(call, seconds))

    def _may_log(self, now: float) -> bool:
        if now - self._second >= 1:
            self._second, self._logged = now, 0
        self._logged += 1
        return self._logged <= _MOST_A_SECOND


def _fields(call: Call, seconds: float) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "method": call.rule.name,
        "code": call.code.name,
        "duration_ms": round(seconds * 1000, 3),
        "request_id": call.trace.request_id,
        "trace_id": call.trace.trace_id,
        "peer": call.context.peer(),
    }
    if call.streaming:
        fields["messages"] = call.messages
    if call.principal is not None:
        fields["caller"] = f"{call.principal.kind}:{call.principal.name}"
    if call.public is not None:
        fields["reason"], fields["message"] = call.public.reason, call.public.message
    return fields
