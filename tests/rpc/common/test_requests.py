"""Validation, sizes, deadlines, ids and cancellation: what a request brings along."""

import asyncio
import time
from collections import Counter
from typing import Any

import grpc
import pytest

from laurel_common.auth import PrincipalKind
from laurel_common.deadline import deadline_in
from laurel_common.errors import RemoteError
from laurel_common.surroundings import Surroundings, enter
from laurel_common.testing.server import TestKeys, default_settings
from laurel_common.tracing import Trace
from tests.rpc.common.conftest import Start
from tests.rpc.common.echo import EchoServicer, pb, pb_grpc, read

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_every_violation_is_named_at_once(start: Start) -> None:
    servicer = EchoServicer()
    running = await start(servicer)
    stub = pb_grpc.EchoServiceStub(running.channel())
    request = pb.EchoRequest(times=101, items=[pb.Item(name="ok"), pb.Item()])
    with pytest.raises(RemoteError) as caught:
        await stub.Echo(request)
    assert (caught.value.code, caught.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert {each.field for each in caught.value.violations} == {"times", "items[1].name"}
    assert all(each.description for each in caught.value.violations)
    assert servicer.seen == []


async def test_each_message_of_a_stream_is_checked(start: Start) -> None:
    servicer = EchoServicer()
    running = await start(servicer)
    stub = pb_grpc.EchoServiceStub(running.channel())

    async def requests() -> Any:
        yield pb.EchoRequest(text="good")
        yield pb.EchoRequest(times=-1)

    with pytest.raises(RemoteError) as caught:
        await stub.Join(requests())
    assert [each.field for each in caught.value.violations] == ["times"]
    assert caught.value.message.startswith("message 2: ")
    answers, error = await read(stub.Chat(requests()))
    assert answers == ["good"]
    assert error.reason == "INVALID_REQUEST"


async def test_a_message_too_large_is_refused_with_the_limit(start: Start, tmp_path: Any) -> None:
    settings = default_settings(TestKeys(tmp_path), max_message_bytes=2048)
    running = await start(settings=settings)
    stub = pb_grpc.EchoServiceStub(running.channel())
    await stub.Echo(pb.EchoRequest(text="x" * 2000))
    with pytest.raises(RemoteError) as caught:
        await stub.Echo(pb.EchoRequest(text="x" * 2100))
    assert (caught.value.code, caught.value.reason) == ("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE")
    assert caught.value.metadata == {"max_bytes": "2048"}
    assert caught.value.retry_after is None
    with pytest.raises(RemoteError) as caught:
        await stub.Echo(pb.EchoRequest(text="x" * 100_000))
    assert caught.value.code == "RESOURCE_EXHAUSTED"


async def test_the_callers_deadline_is_known_and_shaved(start: Start) -> None:
    running = await start()
    stub = pb_grpc.EchoServiceStub(running.channel())
    with deadline_in(15):
        answer = await stub.Echo(pb.EchoRequest())
    left = float(answer.seen["remaining"])
    assert 0 < left < 15.1  # gRPC rounds a timeout up on the wire
    # Without a deadline of the caller's own: what the method declares.
    left = float((await stub.Echo(pb.EchoRequest())).seen["remaining"])
    assert 10 < left < 20.1
    # A shorter one that the call names wins.
    left = float((await stub.Echo(pb.EchoRequest(), timeout=9)).seen["remaining"])
    assert 0 < left < 9.1


async def test_a_client_without_a_deadline_gets_the_methods_own(start: Start) -> None:
    running = await start()
    token = running.keys.add("raw", PrincipalKind.SERVICE).token("test")
    stub = pb_grpc.EchoServiceStub(running.bare_channel())
    metadata = (("authorization", f"Bearer {token}"),)
    answer = await stub.Echo(pb.EchoRequest(), metadata=metadata)
    assert 10 < float(answer.seen["remaining"]) < 20.1


async def test_time_used_up_fails_before_the_call_is_made(start: Start) -> None:
    servicer = EchoServicer()
    running = await start(servicer)
    stub = pb_grpc.EchoServiceStub(running.channel())
    with deadline_in(0.001), pytest.raises(RemoteError) as caught:
        await stub.Echo(pb.EchoRequest())
    assert caught.value.code == "DEADLINE_EXCEEDED"
    assert servicer.seen == []


async def test_a_servicer_is_cancelled_when_the_deadline_passes(start: Start) -> None:
    async def forever(request: Any) -> Any:
        await asyncio.Event().wait()

    servicer = EchoServicer(forever)
    running = await start(servicer)
    stub = pb_grpc.EchoServiceStub(running.channel())
    # So long that the call gets there, on whatever machine.
    for seconds in (0.2, 2, 20):
        with pytest.raises(RemoteError) as caught:
            await stub.Echo(pb.EchoRequest(), timeout=seconds)
        assert caught.value.code == "DEADLINE_EXCEEDED"
        if servicer.entered.is_set():
            break
    await asyncio.wait_for(servicer.cancelled.wait(), 60)


async def test_the_methods_default_ends_a_call_that_has_no_deadline(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forever(request: Any) -> Any:
        await asyncio.Event().wait()

    servicer = EchoServicer(forever)
    running = await start(servicer)
    token = running.keys.add("scoring", PrincipalKind.SERVICE).token("test")
    stub = pb_grpc.EchoServiceStub(running.bare_channel())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Change(pb.EchoRequest(), metadata=(("authorization", f"Bearer {token}"),))
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert servicer.cancelled.is_set()


@pytest.mark.parametrize("method", ["Echo", "Join", "Split"])
async def test_a_client_that_goes_away_ends_the_work(start: Start, method: str) -> None:
    async def forever(request: Any) -> Any:
        await asyncio.Event().wait()

    servicer = EchoServicer(forever)
    running = await start(servicer)
    stub = pb_grpc.EchoServiceStub(running.channel())

    async def requests() -> Any:
        yield pb.EchoRequest(text="x")

    call = getattr(stub, method)(requests() if method == "Join" else pb.EchoRequest(text="x"))
    reading = asyncio.ensure_future(anext(aiter(call)) if method == "Split" else _result(call))
    await asyncio.wait_for(servicer.entered.wait(), 60)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await asyncio.wait_for(servicer.cancelled.wait(), 60)


async def _result(call: Any) -> Any:
    return await call


async def test_ids_are_carried_from_call_to_call(start: Start) -> None:
    running = await start()
    stub = pb_grpc.EchoServiceStub(running.channel())
    enter(Surroundings(Trace("my-request", TRACEPARENT)))
    seen = (await stub.Echo(pb.EchoRequest())).seen
    assert seen["request_id"] == "my-request"
    assert seen["trace_id"] == "0af7651916cd43dd8448eb211c80319c"


async def test_a_malformed_request_id_is_replaced(start: Start) -> None:
    running = await start()
    token = running.keys.add("raw", PrincipalKind.SERVICE).token("test")
    stub = pb_grpc.EchoServiceStub(running.bare_channel())
    metadata = (("authorization", f"Bearer {token}"), ("x-request-id", "x" * 65))
    seen = (await stub.Echo(pb.EchoRequest(), metadata=metadata)).seen
    assert seen["request_id"]
    assert seen["request_id"] != "x" * 65


async def test_no_method_is_registered_by_name(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered: list[object] = []
    monkeypatch.setattr(
        grpc.aio.Server,
        "add_registered_method_handlers",
        lambda _server, name, _handlers: registered.append(name),
    )
    running = await start()
    stub = pb_grpc.EchoServiceStub(running.channel())
    await stub.Echo(pb.EchoRequest())
    # grpc.aio would go through the waits for all of them with every call.
    assert registered == []


async def test_nobody_is_told_cancelled_while_the_event_loop_is_busy(start: Start) -> None:
    running = await start()
    # Bare: what gRPC itself answers, before any of our clients reads it.
    channel = running.bare_channel()
    await channel.channel_ready()
    echo = pb_grpc.EchoServiceStub(channel).Echo
    calls = [asyncio.ensure_future(echo(pb.EchoRequest(), timeout=20)) for _ in range(2_500)]
    await asyncio.sleep(0)
    # All are on their way, and nobody takes them.
    time.sleep(0.5)  # noqa: ASYNC251 - the fault that is tested
    await asyncio.wait(calls)
    codes = Counter(error.code().name for each in calls if (error := each.exception()))
    assert codes.total() == len(calls)
    assert codes.keys() <= {"UNAUTHENTICATED", "RESOURCE_EXHAUSTED"}
