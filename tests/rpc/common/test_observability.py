"""What operators see of calls: logs, the audit, metrics. And repeats, which callers do not see."""

from typing import Any
from urllib.request import urlopen

import grpc
import pytest
import structlog
from structlog.testing import capture_logs

from laurel_common.auth import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import DatabaseUnavailable, RemoteError
from laurel_common.metrics import MetricsEndpoint
from laurel_common.rpc.client import connect, default_timeout, service_config
from laurel_common.rpc.interceptors import access_log, audit
from laurel_common.testing.server import TestKeys, default_settings
from tests.rpc.common.conftest import Start
from tests.rpc.common.echo import NAME, SERVICE, EchoServicer, pb, pb_grpc


@pytest.fixture(autouse=True)
def _fresh_loggers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loggers that have not been bound to another test's output."""
    monkeypatch.setattr(access_log, "log", structlog.get_logger())
    monkeypatch.setattr(audit, "log", structlog.get_logger())


async def test_good_calls_are_sampled_and_bad_ones_all_logged(start: Start, tmp_path: Any) -> None:
    settings = default_settings(TestKeys(tmp_path), access_log_sample=5)
    running = await start(settings=settings)
    stub = pb_grpc.EchoServiceStub(running.channel())
    with capture_logs() as lines:
        for _ in range(10):
            await stub.Echo(pb.EchoRequest(text="x"))
        for _ in range(3):
            with pytest.raises(RemoteError):
                await stub.Echo(pb.EchoRequest(times=-1))
    calls = [line for line in lines if line["event"] == "call"]
    assert [line["code"] for line in calls].count("OK") == 2
    bad = [line for line in calls if line["code"] == "INVALID_ARGUMENT"]
    assert len(bad) == 3
    assert bad[0]["reason"] == "INVALID_REQUEST"
    assert bad[0]["caller"] == "operator:operator"
    assert bad[0]["method"] == f"{NAME}/Echo"


async def test_a_slow_call_is_logged(start: Start, tmp_path: Any) -> None:
    settings = default_settings(TestKeys(tmp_path), access_log_sample=1000)
    running = await start(settings=settings.replaced(slow_call_ms=0))
    stub = pb_grpc.EchoServiceStub(running.channel())
    with capture_logs() as lines:
        await stub.Echo(pb.EchoRequest(text="x"))
    assert [line["slow"] for line in lines if line["event"] == "call"] == [True]


async def test_an_unforeseen_error_is_in_the_log_with_its_traceback(start: Start) -> None:
    async def fail(request: Any) -> Any:
        raise RuntimeError("the disk is on fire")

    running = await start(EchoServicer(fail))
    stub = pb_grpc.EchoServiceStub(running.channel())
    with capture_logs() as lines, pytest.raises(RemoteError) as caught:
        await stub.Echo(pb.EchoRequest(text="x"))
    [line] = [each for each in lines if each["event"] == "call"]
    assert line["log_level"] == "error"
    assert str(line["exc_info"]) == "the disk is on fire"
    assert line["request_id"] == caught.value.request_id


@pytest.mark.parametrize(
    ("kind", "name", "method", "audited"),
    [
        pytest.param(PrincipalKind.OPERATOR, "ann", "Change", True, id="operator-changes"),
        pytest.param(PrincipalKind.OPERATOR, "ann", "Echo", False, id="operator-reads"),
        pytest.param(PrincipalKind.SERVICE, "scoring", "Change", False, id="service-changes"),
    ],
)
async def test_operators_changes_are_audited(
    start: Start, kind: PrincipalKind, name: str, method: str, audited: bool
) -> None:
    running = await start()
    stub = pb_grpc.EchoServiceStub(running.channel(kind, name=name))
    with capture_logs() as lines:
        await getattr(stub, method)(pb.EchoRequest(text="x"))
        if audited:
            with pytest.raises(RemoteError):
                await getattr(stub, method)(pb.EchoRequest(times=-1))
    audits = [line for line in lines if line["event"] == "audit"]
    assert [each["outcome"] for each in audits] == (["done", "failed"] if audited else [])
    for each in audits:
        assert (each["operator"], each["method"]) == (name, f"{NAME}/{method}")
        assert each["token_id"]


async def test_a_scrape_shows_calls_by_method_and_code(start: Start) -> None:
    running = await start()
    stub = pb_grpc.EchoServiceStub(running.channel())
    for _ in range(3):
        await stub.Echo(pb.EchoRequest(text="x"))
    with pytest.raises(RemoteError):
        await stub.Echo(pb.EchoRequest(times=-1))
    endpoint = MetricsEndpoint("127.0.0.1:0", running.server.registry)
    try:
        with urlopen(f"http://127.0.0.1:{endpoint.port}/metrics") as answer:  # noqa: ASYNC210 - it answers from a thread
            text = answer.read().decode()
    finally:
        endpoint.close()
    labels = f'code="%s",method="Echo",service="{NAME}"'
    assert f"laurel_rpc_calls_total{{{labels % 'OK'}}} 3.0" in text
    assert f"laurel_rpc_calls_total{{{labels % 'INVALID_ARGUMENT'}}} 1.0" in text
    assert f'laurel_rpc_seconds_count{{method="Echo",service="{NAME}"}} 4.0' in text


async def test_a_method_that_may_be_repeated_is_repeated(start: Start) -> None:
    failures = 2

    async def away_for_a_while(request: Any) -> Any:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise DatabaseUnavailable
        return pb.EchoResponse(text="back")

    servicer = EchoServicer(away_for_a_while)
    running = await start(servicer)
    tokens = running.keys.add("scoring", PrincipalKind.SERVICE)
    async with connect(
        running.target, audience="test", tokens=tokens, services=[SERVICE]
    ) as channel:
        stub = pb_grpc.EchoServiceStub(channel)
        assert (await stub.Echo(pb.EchoRequest())).text == "back"
        assert len(servicer.seen) == 3
        failures = 1
        with pytest.raises(RemoteError) as caught:
            await stub.Change(pb.EchoRequest())
        assert (caught.value.code, len(servicer.seen)) == ("UNAVAILABLE", 4)


def test_only_what_may_be_repeated_is_in_the_service_config() -> None:
    config = service_config([SERVICE])
    assert '"method": "Echo"' in config
    assert '"method": "Change"' not in config


@pytest.mark.parametrize(
    ("method", "seconds"),
    [
        ("Echo", 20.0),
        ("Split", 5.0),
        ("Chat", None),
        ("Undeclared", 30.0),
        ("Nowhere", 30.0),
    ],
)
def test_a_method_says_how_long_its_callers_wait(method: str, seconds: float | None) -> None:
    assert default_timeout(f"/{NAME}/{method}") == seconds


async def test_a_peer_that_is_away_is_a_typed_error() -> None:
    async with connect("localhost:1", audience="test", tokens=StaticToken("x")) as channel:
        assert isinstance(channel, grpc.aio.Channel)
        with pytest.raises(RemoteError) as caught:
            await pb_grpc.EchoServiceStub(channel).Echo(pb.EchoRequest())
    assert (caught.value.code, caught.value.reason) == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")


async def test_a_step_that_fails_on_the_way_out_neither_leaks_nor_keeps_a_place(
    start: Start, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class BrokenLog:
        def info(self, *arguments: Any, **fields: Any) -> None:
            raise BrokenPipeError("stdout is closed")

    monkeypatch.setattr(audit, "log", BrokenLog())
    settings = default_settings(TestKeys(tmp_path), max_concurrent_calls=1)
    running = await start(settings=settings)
    stub = pb_grpc.EchoServiceStub(running.channel())
    for _ in range(3):
        assert (await stub.Change(pb.EchoRequest(text="x"))).text == "x"
        with pytest.raises(RemoteError) as caught:
            await stub.Change(pb.EchoRequest(times=-1))
        assert caught.value.reason == "INVALID_REQUEST"
