"""One call on its way through the chain, and what a step of the chain is."""

import time
from collections.abc import Awaitable
from typing import Any

import grpc
from google.rpc import (  # type: ignore[import-untyped]  # published without annotations
    status_pb2,
)

from laurel_common.auth.principal import Principal
from laurel_common.errors import LaurelError
from laurel_common.rpc.policy import MethodRule
from laurel_common.rpc.watch import Watch
from laurel_common.surroundings import Surroundings
from laurel_common.tracing import REQUEST_ID_KEY, TRACEPARENT_KEY, TRACESTATE_KEY, Trace


class Call:
    """What the steps know of a call and leave for each other.

    `error` is what ended the call, if anything; the errors step makes `public` (what the caller
    may learn), `code` and `status` of it. `overdue` and `ended_by` are set when the chain itself
    cancelled it.
    """

    # What most calls never change stands here once, and not in every call.
    admitted = False
    messages = 0
    # The message that is being let through, as it came.
    raw = b""
    overdue = False
    # Of a stream that lasts: for how many looks it has not taken what it is sent, if it is sent
    # something; and what ended it.
    untaken: int | None = None
    ended_by: LaurelError | None = None
    # What a step asked to wait for before the servicer sees the message.
    waiting: Awaitable[None] | None = None
    # What a user's stream asked for, and what asks again whether the user may have it.
    installation_id = 0
    watch: Watch | None = None
    principal: Principal | None = None
    error: BaseException | None = None
    public: LaurelError | None = None
    code: grpc.StatusCode = grpc.StatusCode.OK
    status: status_pb2.Status | None = None

    def __init__(self, rule: MethodRule, context: Any, metadata: Any, *, streaming: bool) -> None:
        self.started = time.perf_counter()
        self.rule = rule
        self.context = context
        self.streaming = streaming
        told = metadata or ()
        given = dict(told)
        self.authorization: str = given.get("authorization", "")
        if len(given) < len(told) and _comes_twice("authorization", told):
            # Whoever stands before us may have looked at the other one.
            self.authorization = ""
        self.trace = Trace(
            given.get(REQUEST_ID_KEY), given.get(TRACEPARENT_KEY), given.get(TRACESTATE_KEY)
        )
        self.surroundings = Surroundings(self.trace)


def _comes_twice(name: str, metadata: Any) -> bool:
    return [key for key, _ in metadata].count(name) > 1


class Step:
    """One step of the chain; it overrides what it needs and costs nothing for the rest.

    `enter` runs on the way in, `message` for every request message, `leave` on the way out, in
    the reverse order and however the call ended. What `enter` and `message` raise ends the call.
    """

    def concerns(self, rule: MethodRule, *, streaming: bool) -> bool:  # noqa: ARG002 - for those who care
        """Whether calls of this method are any business of the step's; it is asked once."""
        return True

    def enter(self, call: Call) -> Awaitable[None] | None:
        """Lets the call in, or raises; what it returns, if anything, is awaited."""

    def message(self, call: Call, request: Any) -> Awaitable[None] | None:
        """Lets one request message through, or raises; what it returns, if anything, is awaited
        after all steps have seen the message, so only the last one returns something.
        """

    def leave(self, call: Call) -> None:
        """Sees the call out; raises nothing."""
