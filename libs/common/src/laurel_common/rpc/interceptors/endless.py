"""Ends the streams on which callers wait for news, each with its reason."""

import asyncio
from typing import Any

from laurel_common.errors import LaurelError, NotServing, ReaderTooSlow
from laurel_common.metrics import RpcMetrics
from laurel_common.rpc.call import Call, Step
from laurel_common.rpc.policy import MethodRule

# How often it is looked who takes nothing. Patience is counted in looks, not in time: where this
# process itself has no core to run on, nobody is to be blamed for it.
_LOOKS = 30


class EndlessStep(Step):
    """Streams that last (Watch…): all end when the server stops, and one whose caller takes
    nothing of what it is sent for `patience` seconds ends, too.

    The reason follows what the caller has not taken yet, whenever it takes that.
    """

    def __init__(self, metrics: RpcMetrics, *, patience: float) -> None:
        self._metrics = metrics
        self._pause = patience / _LOOKS
        self._lasting: dict[Call, asyncio.Task[Any]] = {}
        self._looking = False
        self._stopping = False

    def concerns(self, rule: MethodRule, *, streaming: bool) -> bool:  # noqa: ARG002 - of either kind
        """Streams that last alone."""
        return rule.endless

    def enter(self, call: Call) -> None:
        """Takes the call among those that are looked at. Raises NotServing when all were ended."""
        if self._stopping:
            raise NotServing
        task = asyncio.current_task()
        if task is None:
            return
        self._lasting[call] = task
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(self._pause, self._look)

    def leave(self, call: Call) -> None:
        """Says why it was ended, where it was."""
        task = self._lasting.pop(call, None)
        if task is None or call.ended_by is None:
            return
        if isinstance(call.error, asyncio.CancelledError):
            task.uncancel()
            call.error = call.ended_by

    def stop(self) -> None:
        """Ends all calls, and refuses those to come."""
        self._stopping = True
        for call, task in self._lasting.items():
            self._end(call, task, NotServing())

    def _look(self) -> None:
        for call, task in self._lasting.items():
            if call.untaken is None or call.ended_by is not None:
                continue
            call.untaken += 1
            if call.untaken > _LOOKS:
                self._metrics.cut_off(call.rule.path)
                self._end(call, task, ReaderTooSlow())
        self._looking = bool(self._lasting)
        if self._looking:
            asyncio.get_running_loop().call_later(self._pause, self._look)

    def _end(self, call: Call, task: asyncio.Task[Any], why: LaurelError) -> None:
        if call.ended_by is None:
            call.ended_by = why
            task.cancel()
