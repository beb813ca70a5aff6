"""Starting, being ready, being too busy, and stopping."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from structlog.testing import capture_logs

from laurel_common.auth import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from laurel_common.config import ConfigError
from laurel_common.errors import RemoteError
from laurel_common.rpc.health import HealthCheck, warm_up_check
from laurel_common.rpc.health_servicer import HealthServicer
from laurel_common.rpc.run import serve
from laurel_common.rpc.server import build_server
from laurel_common.testing.server import RunningServer, TestKeys, default_settings
from tests.rpc.common.conftest import Start
from tests.rpc.common.echo import NAME, EchoServicer, pb, pb_grpc, registration

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Gate:
    """A behaviour that waits until it is let go."""

    def __init__(self) -> None:
        self.entered = asyncio.Semaphore(0)
        self.go = asyncio.Event()

    async def __call__(self, _request: Any) -> Any:
        self.entered.release()
        await self.go.wait()
        return pb.EchoResponse(text="done")


class Probe:
    """A check that holds or not."""

    def __init__(self, holds: bool) -> None:
        self.holds = holds

    async def __call__(self) -> None:
        if not self.holds:
            raise ConnectionError("not there")


async def status(running: RunningServer, service: str = "") -> Any:
    stub: Any = health_pb2_grpc.HealthStub(running.bare_channel())
    return (await stub.Check(health_pb2.HealthCheckRequest(service=service))).status


async def test_health_follows_the_checks_under_every_name(start: Start) -> None:
    probe = Probe(holds=False)
    running = await start(health_checks=[HealthCheck("database", probe)])
    assert [await status(running, name) for name in ("", NAME)] == [NOT_SERVING] * 2
    probe.holds = True
    await running.server.health.check()
    assert [await status(running, name) for name in ("", NAME)] == [SERVING] * 2
    probe.holds = False
    await running.server.health.check()
    assert [await status(running, name) for name in ("", NAME)] == [NOT_SERVING] * 2
    assert running.server.health.states() == {"database": False}


async def test_what_is_needed_to_start_is_not_needed_to_go_on(start: Start) -> None:
    cache = Probe(holds=False)
    running = await start(health_checks=[HealthCheck("redis", cache, to_start=True)])
    assert await status(running) == NOT_SERVING
    cache.holds = True
    await running.server.health.check()
    cache.holds = False
    await running.server.health.check()
    assert await status(running) == SERVING
    assert running.server.health.states() == {"redis": False}


async def test_a_watcher_of_health_is_told_of_each_change(start: Start) -> None:
    probe = Probe(holds=False)
    running = await start(health_checks=[HealthCheck("database", probe)])
    stub: Any = health_pb2_grpc.HealthStub(running.bare_channel())
    watch = aiter(stub.Watch(health_pb2.HealthCheckRequest(service=NAME)))
    assert (await anext(watch)).status == NOT_SERVING
    probe.holds = True
    await running.server.health.check()
    assert (await anext(watch)).status == SERVING


async def test_calls_before_the_checks_hold_are_not_served(start: Start) -> None:
    probe = Probe(holds=False)
    running = await start(health_checks=[HealthCheck("database", probe)])
    stub = pb_grpc.EchoServiceStub(running.channel())
    with capture_logs() as lines, pytest.raises(RemoteError) as caught:
        await stub.Echo(pb.EchoRequest())
    assert (caught.value.code, caught.value.reason) == ("UNAVAILABLE", "NOT_SERVING")
    assert caught.value.retry_after is not None
    # Whoever calls while others start has met no fault: no traceback.
    [line] = [each for each in lines if each["event"] == "call"]
    assert (line["log_level"], "exc_info" in line) == ("info", False)
    probe.holds = True
    await running.server.health.check()
    await stub.Echo(pb.EchoRequest())
    # Later failures are health's to tell: what can be served from a cache still is.
    probe.holds = False
    await running.server.health.check()
    await stub.Echo(pb.EchoRequest())


async def test_a_warm_up_runs_once(start: Start) -> None:
    runs = []

    async def warm_up() -> None:
        runs.append(1)

    running = await start(health_checks=[warm_up_check(warm_up)])
    await running.server.health.check()
    assert await status(running) == SERVING
    assert runs == [1]


async def test_too_many_calls_at_once_are_refused_and_places_come_back(
    start: Start, tmp_path: Path
) -> None:
    gate = Gate()
    settings = default_settings(TestKeys(tmp_path), max_concurrent_calls=2)
    running = await start(EchoServicer(gate), settings=settings)
    stub = pb_grpc.EchoServiceStub(running.channel())
    held = [asyncio.ensure_future(_result(stub.Echo(pb.EchoRequest()))) for _ in range(2)]
    for _ in held:
        await gate.entered.acquire()
    with pytest.raises(RemoteError) as caught:
        await stub.Echo(pb.EchoRequest())
    assert (caught.value.code, caught.value.reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
    assert caught.value.retry_after is not None
    # Streams have places of their own, and health always answers.
    assert (await anext(aiter(stub.Split(pb.EchoRequest(times=1))))).text == "0"
    assert await status(running) == SERVING
    gate.go.set()
    await asyncio.gather(*held)
    assert (await stub.Echo(pb.EchoRequest())).text == "done"


async def _result(call: Any) -> Any:
    return await call


async def test_a_stop_loses_no_call_in_flight_and_closes_pools_last(start: Start) -> None:
    gate, closed = Gate(), []

    async def close_pool() -> None:
        closed.append(gate.go.is_set())

    running = await start(EchoServicer(gate), closers=[close_pool])
    channel = running.channel()
    call = asyncio.ensure_future(_result(pb_grpc.EchoServiceStub(channel).Echo(pb.EchoRequest())))
    await gate.entered.acquire()
    stopping = asyncio.ensure_future(running.server.stop(drain=0, grace=20))
    await running.server.draining.wait()
    await _until_refused(running)
    assert closed == []
    gate.go.set()
    assert (await call).text == "done"
    await stopping
    assert closed == [True]


async def _until_refused(running: RunningServer) -> None:
    """Returns when the server takes no new calls."""
    async with asyncio.timeout(10):
        while True:
            try:
                await status(running)
            except grpc.aio.AioRpcError:
                return


async def test_a_watcher_of_health_does_not_hold_up_the_stop(start: Start) -> None:
    running = await start()
    stub: Any = health_pb2_grpc.HealthStub(running.bare_channel())
    watch = aiter(stub.Watch(health_pb2.HealthCheckRequest()))
    assert (await anext(watch)).status == SERVING
    async with asyncio.timeout(10):
        stopping = asyncio.ensure_future(running.server.stop(drain=0, grace=60))
        assert (await anext(watch)).status == NOT_SERVING
        await stopping


async def test_a_watcher_whose_answer_is_on_its_way_hears_of_the_stop_too() -> None:
    servicer = HealthServicer((NAME,))
    servicer.tell(serving=True)
    watch = servicer.Watch(health_pb2.HealthCheckRequest(service=NAME), None)
    heard = [(await anext(watch)).status]
    servicer.close()  # before the watch is asked for more
    heard += [answer.status async for answer in watch]
    assert heard == [SERVING, NOT_SERVING]


async def test_a_signal_stops_the_process_in_order(tmp_path: Path) -> None:
    keys = TestKeys(tmp_path)
    settings = default_settings(keys, listen="localhost:0", drain_seconds=0)
    closed, ready = asyncio.Event(), asyncio.Event()

    async def close() -> None:
        closed.set()

    async def started() -> None:
        ready.set()

    server = build_server(
        settings,
        [registration(EchoServicer())],
        closers=[close],
        health_checks=[warm_up_check(started)],
    )
    serving = asyncio.ensure_future(serve(server))
    await ready.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(10):
        await serving
    assert closed.is_set()


async def test_a_second_server_on_a_port_is_refused(start: Start, tmp_path: Path) -> None:
    running = await start()
    keys = TestKeys(tmp_path)
    settings = default_settings(keys, listen=f"localhost:{running.server.port}")
    second = build_server(settings, [registration(EchoServicer())])
    with pytest.raises(ConfigError, match="can't be bound"):
        await second.start()


def reflect(running: RunningServer, token: str = "") -> Any:
    # Laurel's own channel hears a refusal that meets the request on its way; gRPC's bare one says
    # INTERNAL then (test_ended_streams.py).
    channel: Any = running.channel_with(StaticToken(token))
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)

    async def requests() -> Any:
        yield reflection_pb2.ServerReflectionRequest(list_services="")

    return stub.ServerReflectionInfo(requests())


async def test_reflection_is_open_on_loopback(start: Start) -> None:
    running = await start()
    answer = await anext(aiter(reflect(running)))
    assert NAME in {each.name for each in answer.list_services_response.service}


async def test_reflection_asks_for_an_operator_elsewhere(start: Start, tmp_path: Path) -> None:
    settings = default_settings(TestKeys(tmp_path), allow_insecure_bind=True)
    running = await start(settings=settings, listen="0.0.0.0:0")
    with pytest.raises(RemoteError) as caught:
        await anext(aiter(reflect(running)))
    assert caught.value.code == "UNAUTHENTICATED"
    for kind, allowed in ((PrincipalKind.BACKEND, False), (PrincipalKind.OPERATOR, True)):
        call = reflect(running, running.keys.add(f"a-{kind}", kind).token("test"))
        if allowed:
            assert (await anext(aiter(call))).list_services_response.service
        else:
            with pytest.raises(RemoteError) as caught:
                await anext(aiter(call))
            assert caught.value.code == "PERMISSION_DENIED"
