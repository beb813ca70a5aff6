"""Decides what a caller learns of an error: typed ones by their reason, nothing of the rest."""

import asyncio

import grpc

from laurel_common.deadline import remaining
from laurel_common.rpc.call import Call, Step
from laurel_common.rpc.status import code_of, public_error, to_status


class ErrorsStep(Step):
    """Makes a status of what ended the call; leaves none where nobody is listening any more."""

    def leave(self, call: Call) -> None:
        """Sets the call's code, and the status to end it with."""
        error = call.error
        if error is None:
            return
        if isinstance(error, grpc.aio.AbortError):
            # A servicer of gRPC's own (health) has ended its call already.
            call.code = _aborted_with(call)
        elif gone(call, error):
            left = remaining()
            timed_out = left is not None and left <= 0
            code = grpc.StatusCode
            call.code = code.DEADLINE_EXCEEDED if timed_out else code.CANCELLED
        else:
            call.public = public_error(error)
            call.code = code_of(call.public)
            call.status = to_status(call.public, call.trace.request_id)


def _aborted_with(call: Call) -> grpc.StatusCode:
    code = call.context.code()
    return code if isinstance(code, grpc.StatusCode) else grpc.StatusCode.UNKNOWN


def gone(call: Call, error: BaseException) -> bool:
    """Whether the caller went away, or the process is being ended.

    A cancellation that nobody asked of this task leaked from inside and is an error like others.
    """
    if call.context.cancelled() or isinstance(error, KeyboardInterrupt | SystemExit):
        return True
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0
