"""The order of the steps, on the way in and on the way out."""

from typing import Any, cast

import grpc
import pytest

from laurel_common.errors import CallerNotAllowed
from laurel_common.metrics import RpcMetrics
from laurel_common.rpc.call import Call, Step
from laurel_common.rpc.chain import Chain, steps_in_order
from laurel_common.rpc.interceptors.access import AccessStep, AccessWatchStep
from laurel_common.rpc.interceptors.admission import AdmissionStep
from laurel_common.rpc.interceptors.endless import EndlessStep
from laurel_common.rpc.interceptors.errors import ErrorsStep
from laurel_common.rpc.policy import MethodRule


class Context:
    """As much of gRPC's context as the chain uses."""

    def __init__(self) -> None:
        self.status: Any = None

    def cancelled(self) -> bool:
        return False

    async def abort_with_status(self, status: Any) -> None:
        self.status = status
        raise grpc.aio.AbortError


class Recording(Step):
    """Writes down what it is asked; refuses where told to."""

    def __init__(self, name: str, seen: list[str], *, refuses: bool = False) -> None:
        self._name, self._seen, self._refuses = name, seen, refuses

    def enter(self, call: Call) -> None:
        self._seen.append(f"enter {self._name}")
        if self._refuses:
            raise CallerNotAllowed

    def message(self, call: Call, request: Any) -> None:
        self._seen.append(f"message {self._name}")

    def leave(self, call: Call) -> None:
        self._seen.append(f"leave {self._name} {call.code.name}")


async def serve(steps: list[Step], seen: list[str], context: Context) -> bytes:
    async def behaviour(request: bytes, _context: Any) -> bytes:
        seen.append("servicer")
        return request

    method = grpc.unary_unary_rpc_method_handler(
        cast(Any, behaviour), request_deserializer=bytes, response_serializer=bytes
    )

    class Details(grpc.HandlerCallDetails):
        method = "/s/M"
        invocation_metadata = ()

    rules = {"/s/M": MethodRule("/s/M")}
    chain = Chain(steps, rules, {"/s/M": method}, max_message_bytes=10)
    handler = chain.service(Details())
    return cast(bytes, await handler.unary_unary(b"x", context))


async def test_steps_run_in_order_and_are_left_in_reverse() -> None:
    seen: list[str] = []
    steps: list[Step] = [Recording("a", seen), ErrorsStep(), Recording("b", seen)]
    assert await serve(steps, seen, Context()) == b"x"
    assert seen == [
        "enter a",
        "enter b",
        "message a",
        "message b",
        "servicer",
        "leave b OK",
        "leave a OK",
    ]


async def test_a_step_outside_of_errors_sees_the_code_that_they_settled() -> None:
    seen: list[str] = []
    context = Context()
    steps: list[Step] = [
        Recording("log", seen),
        ErrorsStep(),
        Recording("auth", seen, refuses=True),
        Recording("validation", seen),
    ]
    with pytest.raises(grpc.aio.AbortError):
        await serve(steps, seen, context)
    assert seen == [
        "enter log",
        "enter auth",
        "leave validation OK",
        "leave auth OK",
        "leave log PERMISSION_DENIED",
    ]
    assert context.status.code is grpc.StatusCode.PERMISSION_DENIED


def test_the_chain_of_a_server_is_in_the_order_that_its_reasons_give() -> None:
    admission = AdmissionStep(calls=1, streams=1)
    access_log, auth, validation = (cast(Any, Recording(name, [])) for name in "lav")
    given = {id(access_log): "access log", id(auth): "auth", id(validation): "validation"}
    access = AccessStep()
    steps = steps_in_order(
        access_log=access_log,
        admission=admission,
        endless=EndlessStep(RpcMetrics(), patience=1),
        auth=auth,
        validation=validation,
        access=access,
        watch=AccessWatchStep(access),
    )
    assert [given.get(id(step), type(step).__name__) for step in steps] == [
        "RequestIdStep",
        "access log",
        "ErrorsStep",
        "AdmissionStep",
        "DeadlineStep",
        "EndlessStep",
        "auth",
        "AuditStep",
        "validation",
        "AccessStep",
        "AccessWatchStep",
    ]
