"""Gives the call its request id and trace context, for logs and for what it calls."""

from laurel_common.rpc.call import Call, Step
from laurel_common.surroundings import enter


class RequestIdStep(Step):
    """Makes the caller's ids, or new ones, those of the running task."""

    def enter(self, call: Call) -> None:
        """Makes what the steps learn of the call the task's."""
        enter(call.surroundings)
