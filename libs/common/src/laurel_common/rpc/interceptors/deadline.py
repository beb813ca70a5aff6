"""Keeps the call's deadline where statements and further calls find it."""

import asyncio
import time
from typing import Any

from laurel_common.errors import DeadlineExceeded
from laurel_common.rpc.call import Call, Step

_SWEEP_SECONDS = 0.1


class DeadlineStep(Step):
    """The caller's deadline, or the method's default for a unary call that came without one.

    gRPC ends a call whose caller named a deadline. The others are ended here, by one sweep over
    all of them: a timer for each would cost a read several percent of its rate. A stream without
    a deadline lasts for as long as its caller listens.
    """

    def __init__(self) -> None:
        self._limited: dict[Call, tuple[asyncio.Task[Any], float]] = {}
        self._sweeping = False
        # Of the server that the step belongs to; asking for the running one costs a system call
        # a time before Python 3.12.
        self._loop: asyncio.AbstractEventLoop | None = None

    def enter(self, call: Call) -> None:
        """Sets the task's deadline; raises DeadlineExceeded where it has passed already."""
        left = call.context.time_remaining()
        if left is None:
            if not call.streaming and call.rule.timeout is not None:
                self._limit(call, call.rule.timeout)
            return
        if left <= 0:
            raise DeadlineExceeded
        call.surroundings.deadline = time.monotonic() + left

    def leave(self, call: Call) -> None:
        """Says that it was the deadline, where it was."""
        limited = self._limited.pop(call, None)
        if call.overdue and limited is not None and isinstance(call.error, asyncio.CancelledError):
            limited[0].uncancel()
            call.error = DeadlineExceeded()

    def _limit(self, call: Call, seconds: float) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        task = asyncio.current_task(self._loop)
        if task is None:
            return
        deadline = call.surroundings.deadline = time.monotonic() + seconds
        self._limited[call] = (task, deadline)
        if not self._sweeping:
            self._sweeping = True
            self._loop.call_later(_SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        now = time.monotonic()
        for call, (task, deadline) in self._limited.items():
            if now >= deadline and not call.overdue:
                call.overdue = True
                task.cancel()
        self._sweeping = bool(self._limited)
        if self._sweeping:
            asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)
