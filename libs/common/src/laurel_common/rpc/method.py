"""A method of a server with the steps around it."""

import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from google.protobuf.message import DecodeError
from grpc_status import rpc_status

from laurel_common.errors import InvalidRequest, MessageTooLarge
from laurel_common.rpc.call import Call, Step
from laurel_common.rpc.policy import MethodRule

log = structlog.get_logger(__name__)


class Method:
    """What every call of the method shares: its rule, its servicer's function, and the steps, of
    which each is asked only where it has something to say.
    """

    __slots__ = (
        "_leaves",
        "_max_message_bytes",
        "_messages",
        "_parse",
        "behaviour",
        "enters",
        "generates",
        "rule",
        "serialize",
    )

    def __init__(
        self, rule: MethodRule, handler: Any, steps: Sequence[Step], *, max_message_bytes: int
    ) -> None:
        self.rule = rule
        streaming = handler.request_streaming or handler.response_streaming
        steps = [step for step in steps if step.concerns(rule, streaming=streaming)]
        self.enters = tuple(s.enter for s in steps if type(s).enter is not Step.enter)
        self._messages = tuple(s.message for s in steps if type(s).message is not Step.message)
        self._leaves = tuple(s.leave for s in reversed(steps) if type(s).leave is not Step.leave)
        self._max_message_bytes = max_message_bytes
        self._parse = handler.request_deserializer
        self.serialize = handler.response_serializer
        self.behaviour = (
            handler.unary_unary
            or handler.unary_stream
            or handler.stream_unary
            or handler.stream_stream
        )
        self.generates = inspect.isasyncgenfunction(self.behaviour)

    async def enter(self, call: Call) -> None:
        """Lets the call in, or raises what a step refuses it with."""
        for enter in self.enters:
            waiting = enter(call)
            if waiting is not None:
                await waiting

    def accept(self, call: Call, raw: bytes) -> Any:
        """One request message, parsed and let through by the steps, but for what the call is then
        `waiting` for.
        """
        if len(raw) > self._max_message_bytes:
            raise MessageTooLarge(metadata={"max_bytes": str(self._max_message_bytes)})
        try:
            request = self._parse(raw)
        except DecodeError as error:
            raise InvalidRequest("the message can't be parsed") from error
        call.raw = raw
        for message in self._messages:
            call.waiting = message(call, request)
        call.messages += 1
        return request

    async def accept_all(self, call: Call, raws: Any) -> AsyncIterator[Any]:
        """The request messages as they come."""
        async for raw in raws:
            request = self.accept(call, raw)
            if call.waiting is not None:
                await call.waiting
            yield request

    async def fail(self, call: Call, error: BaseException) -> None:
        """Leaves the steps and ends the call with the status that they settled on, if any."""
        call.error = error
        self.see_out(call)
        if call.status is not None:
            await call.context.abort_with_status(rpc_status.to_status(call.status))

    def see_out(self, call: Call) -> None:
        """Leaves every step."""
        see_out(self._leaves, call)


def see_out(leaves: Sequence[Callable[[Call], None]], call: Call) -> None:
    """Leaves every step, also where one fails: its text is not for the caller, and the places
    that the others hold have to come back.
    """
    for leave in leaves:
        try:
            leave(call)
        except Exception as error:  # whatever a step's way out fails with, the call has ended
            with suppress(Exception):  # most likely it was the log that failed
                log.error("step_failed", error=repr(error))
