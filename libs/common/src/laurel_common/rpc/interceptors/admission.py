"""Turns calls away before they cost anything: while starting, and when there are too many."""

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
        """Gives the place back."""
        if not call.admitted:
            return
        if call.streaming:
            self._running_streams -= 1
        else:
            self._running_calls -= 1
