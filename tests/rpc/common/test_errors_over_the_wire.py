"""What a caller learns of an error, and what it does not."""

import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.rpc import (  # type: ignore[import-untyped]  # published without annotations
    error_details_pb2,
    status_pb2,
)

from laurel_common.auth import PrincipalKind
from laurel_common.errors import (
    DatabaseUnavailable,
    InvalidRequest,
    LaurelError,
    Overloaded,
    RemoteError,
)
from laurel_common.rpc.status import DETAILS_KEY
from laurel_common.testing.server import RunningServer
from tests.rpc.common.conftest import Start
from tests.rpc.common.echo import EchoServicer, pb, pb_grpc, read

SECRET = "password=hunter2 in /etc/laurel"


class PresetNotFoundError(LaurelError):
    reason = "PRESET_NOT_FOUND"
    default_message = "no such preset"


def failing(error: BaseException) -> EchoServicer:
    async def fail(request: Any) -> Any:
        raise error

    return EchoServicer(fail)


async def bare_error(running: RunningServer, kind: PrincipalKind) -> grpc.aio.AioRpcError:
    """What a client without our interceptors sees."""
    token = running.keys.add("raw", kind).token("test")
    stub = pb_grpc.EchoServiceStub(running.bare_channel())
    metadata = (("authorization", f"Bearer {token}"), ("x-request-id", "req-1"))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Echo(pb.EchoRequest(text="x"), metadata=metadata)
    return caught.value


def details_of(error: grpc.aio.AioRpcError) -> dict[str, Any]:
    raw = dict(error.trailing_metadata())[DETAILS_KEY]
    found = {}
    for detail in status_pb2.Status.FromString(raw).details:
        name = detail.TypeName().rpartition(".")[2]
        message = getattr(error_details_pb2, name)()
        detail.Unpack(message)
        found[name] = message
    return found


async def calls_that_fail(running: RunningServer) -> list[RemoteError]:
    """The error of each of the four kinds of method."""
    stub = pb_grpc.EchoServiceStub(running.channel())

    async def requests() -> Any:
        yield pb.EchoRequest(text="x", times=2)

    errors = []
    for call in (stub.Echo(pb.EchoRequest(text="x")), stub.Join(requests())):
        with pytest.raises(RemoteError) as caught:
            await call
        errors.append(caught.value)
    for stream in (stub.Split(pb.EchoRequest(text="x", times=2)), stub.Chat(requests())):
        _, error = await read(stream)
        errors.append(error)
    return errors


async def test_an_unforeseen_error_leaks_nothing_whatever_the_kind_of_method(start: Start) -> None:
    running = await start(failing(RuntimeError(SECRET)))
    for error in await calls_that_fail(running):
        assert (error.code, error.reason, error.message) == (
            "INTERNAL",
            "INTERNAL",
            "internal error",
        )
        assert error.request_id


async def test_a_typed_error_arrives_typed_whatever_the_kind_of_method(start: Start) -> None:
    running = await start(failing(PresetNotFoundError(metadata={"preset_id": "7"})))
    for error in await calls_that_fail(running):
        assert (error.code, error.reason) == ("NOT_FOUND", "PRESET_NOT_FOUND")
        assert error.message == "no such preset"
        assert error.metadata == {"preset_id": "7"}


async def test_responses_sent_before_an_error_arrive(start: Start) -> None:
    running = await start(failing(PresetNotFoundError()))
    stub = pb_grpc.EchoServiceStub(running.channel())
    seen, error = await read(stub.Split(pb.EchoRequest(text="x", times=3)))
    assert seen == ["x0", "x1", "x2"]
    assert error.reason == "PRESET_NOT_FOUND"


async def test_details_are_those_of_google_rpc(start: Start) -> None:
    running = await start(failing(InvalidRequest.of(("rules[1].points", "must be positive"))))
    error = await bare_error(running, PrincipalKind.SERVICE)
    details = details_of(error)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert details["ErrorInfo"].reason == "INVALID_REQUEST"
    assert details["ErrorInfo"].domain == "laurel"
    assert details["RequestInfo"].request_id == "req-1"
    violation = details["BadRequest"].field_violations[0]
    assert (violation.field, violation.description) == ("rules[1].points", "must be positive")
    assert "RetryInfo" not in details


@pytest.mark.parametrize(
    ("error", "code", "seconds"),
    [
        pytest.param(DatabaseUnavailable(), grpc.StatusCode.UNAVAILABLE, 1, id="unavailable"),
        pytest.param(
            Overloaded(retry_after=timedelta(seconds=7)),
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            7,
            id="overloaded",
        ),
    ],
)
async def test_what_may_be_repeated_says_when(
    start: Start, error: LaurelError, code: grpc.StatusCode, seconds: int
) -> None:
    running = await start(failing(error))
    found = await bare_error(running, PrincipalKind.SERVICE)
    assert found.code() is code
    assert details_of(found)["RetryInfo"].retry_delay.seconds == seconds


@pytest.mark.parametrize(
    ("remote", "code", "reason"),
    [
        pytest.param(
            RemoteError("NOT_FOUND", "TEAM_NOT_FOUND", "no such team"),
            "NOT_FOUND",
            "TEAM_NOT_FOUND",
            id="about-the-subject",
        ),
        pytest.param(
            RemoteError("UNAUTHENTICATED", "TOKEN_EXPIRED", SECRET),
            "INTERNAL",
            "INTERNAL",
            id="our-credentials",
        ),
        pytest.param(
            RemoteError("INVALID_ARGUMENT", "INVALID_REQUEST", SECRET),
            "INTERNAL",
            "INTERNAL",
            id="our-request",
        ),
        pytest.param(
            RemoteError("UNAVAILABLE", "DATABASE_UNAVAILABLE", SECRET),
            "UNAVAILABLE",
            "DEPENDENCY_UNAVAILABLE",
            id="away",
        ),
        pytest.param(
            RemoteError("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", SECRET),
            "DEADLINE_EXCEEDED",
            "DEADLINE_EXCEEDED",
            id="too-slow",
        ),
    ],
)
async def test_another_services_error_is_passed_on_where_it_concerns_the_caller(
    start: Start, remote: RemoteError, code: str, reason: str
) -> None:
    running = await start(failing(remote))
    stub = pb_grpc.EchoServiceStub(running.channel(PrincipalKind.SERVICE, name="other"))
    with pytest.raises(RemoteError) as caught:
        await stub.Change(pb.EchoRequest(text="x"))
    assert caught.value.reason == "CALLER_NOT_ALLOWED"
    with pytest.raises(RemoteError) as caught:
        # UNAVAILABLE is repeated for Echo, which ends the same way.
        await stub.Echo(pb.EchoRequest(text="x"))
    assert (caught.value.code, caught.value.reason) == (code, reason)
    assert SECRET not in caught.value.message


async def test_an_answer_of_the_wrong_type_is_internal(start: Start) -> None:
    async def wrong(request: Any) -> Any:
        return "not a message"

    running = await start(EchoServicer(wrong))
    for error in await calls_that_fail(running):
        assert (error.code, error.message) == ("INTERNAL", "internal error")


async def test_a_cancellation_from_inside_does_not_leave_the_caller_waiting(start: Start) -> None:
    running = await start(failing(asyncio.CancelledError()))
    stub = pb_grpc.EchoServiceStub(running.channel())
    with pytest.raises(RemoteError) as caught:
        await stub.Echo(pb.EchoRequest(text="x"), timeout=5)
    assert caught.value.code == "INTERNAL"


async def test_bytes_that_are_no_message_are_invalid(start: Start) -> None:
    running = await start()
    token = running.keys.add("raw", PrincipalKind.SERVICE).token("test")
    call = running.bare_channel().unary_unary("/laurel_test.echo.v1.EchoService/Echo")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"\xff\xff\xff", metadata=(("authorization", f"Bearer {token}"),))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert details_of(caught.value)["ErrorInfo"].reason == "INVALID_REQUEST"


async def test_bytes_ready_made_are_sent_as_they_are(start: Start) -> None:
    async def ready(request: Any) -> bytes:
        return bytes(pb.EchoResponse(text="from the cache").SerializeToString())

    running = await start(EchoServicer(ready))
    stub = pb_grpc.EchoServiceStub(running.channel())
    assert (await stub.Echo(pb.EchoRequest())).text == "from the cache"
    assert [each.text async for each in stub.Split(pb.EchoRequest(times=1))] == [
        "0",
        "from the cache",
    ]
