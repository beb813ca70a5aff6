"""Turns calls away before they cost anything: while starting, and when there are too many."""

import asyncio
from typing import Any

from laurel_common.errors import NotServing, Overloaded
from laurel_common.rpc.call import Call, Step


class AdmissionStep(Step):
    """At most `calls` unary calls and `streams` streams at once; none before `open` is set.

    Health and reflection always pass: somebody wants to know why.
    """

    def __init__(self, *, calls: int, streams: int) -> None:
        self.open = False
        self._calls, self._streams = calls, streams
        self._running_calls = self._running_streams = 0

    def enter(self, call: Call) -> None:
        """Takes a place, or raises NotServing or Overloaded."""
        if call.rule.infrastructure:
            return
        if not self.open:
            raise NotServing
        if call.streaming:
            if self._running_streams >= self._streams:
                raise Overloaded
            self._running_streams += 1
        else:
            if self._running_calls >= self._calls:
                raise Overloaded
            self._running_calls += 1
        call.admitted = True

    def leave(self, call: Call) -> None:
        """Gives the place back; that of a stream that lasts as soon as the reason of its end has
        been taken, or its caller is gone: until then it holds memory.
        """
        if not call.admitted:
            return
        if not call.streaming:
            self._running_calls -= 1
            return
        task = asyncio.current_task() if call.rule.endless else None
        if task is None:
            self._running_streams -= 1
        else:
            task.add_done_callback(self._end_stream)

    def _end_stream(self, _: asyncio.Task[Any]) -> None:
        self._running_streams -= 1
