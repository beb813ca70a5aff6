"""Tokens, access rules and installations, as a caller meets them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import grpc
import pytest

from laurel_common.auth import Principal, PrincipalKind
from laurel_common.auth.operator import mint_operator_token
from laurel_common.auth.sessions import SessionResolver
from laurel_common.auth.tokens import StaticToken, TokenSource, mint
from laurel_common.clock import SystemClock
from laurel_common.errors import RemoteError, Unauthenticated
from laurel_common.testing.clock import FakeClock
from laurel_common.testing.server import RunningServer
from tests.rpc.common.conftest import Start
from tests.rpc.common.echo import NAME, EchoServicer, pb, pb_grpc

K = PrincipalKind


async def outcome(channel: grpc.aio.Channel, method: str = "Echo", **fields: Any) -> str:
    """OK, or the reason."""
    stub = pb_grpc.EchoServiceStub(channel)
    try:
        await getattr(stub, method)(pb.EchoRequest(**{"text": "x"} | fields))
    except RemoteError as error:
        return error.reason
    return "OK"


@pytest.mark.parametrize(
    "header", [None, "Basic eDp5", "Bearer", "Bearer not-a-jwt", "Bearer a.b.c"]
)
async def test_a_stranger_is_unauthenticated(start: Start, header: str | None) -> None:
    running = await start()
    stub = pb_grpc.EchoServiceStub(running.bare_channel())
    metadata = () if header is None else (("authorization", header),)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Echo(pb.EchoRequest(times=-1), metadata=metadata)
    # The request is bad as well: that is not for strangers to learn.
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    "told",
    [
        pytest.param([("authorization", "Bearer GOOD"), ("authorization", "Bearer x")], id="last"),
        pytest.param([("authorization", "Bearer x"), ("authorization", "Bearer GOOD")], id="first"),
        pytest.param([("authorization", "Bearer GOOD")] * 2, id="twice the same"),
        pytest.param([("authorization", "Bearer GOOD, Bearer GOOD")], id="joined"),
        pytest.param([("authorization-bin", b"Bearer GOOD")], id="binary"),
        pytest.param([("proxy-authorization", "Bearer GOOD")], id="another header"),
        pytest.param([("x-authorization", "Bearer GOOD"), ("token", "GOOD")], id="own names"),
        pytest.param([("authorization", "GOOD")], id="without a scheme"),
        pytest.param([("authorization", "Bearer  GOOD")], id="two spaces"),
        pytest.param([("authorization", "Bearer GOOD "), ("x", "y" * 4000)], id="beside much"),
    ],
)
async def test_a_token_comes_in_one_header_and_in_one_way(
    start: Start, told: list[tuple[str, str | bytes]]
) -> None:
    """Who stands before a service may have looked at another one."""
    running = await start()
    token = running.keys.add("ingest", K.SERVICE).token("test")
    metadata = [
        (name, value.replace(b"GOOD", token.encode()))
        if isinstance(value, bytes)
        else (name, value.replace("GOOD", token))
        for name, value in told
    ]
    stub = pb_grpc.EchoServiceStub(running.bare_channel())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Echo(pb.EchoRequest(text="x"), metadata=metadata)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    good = [("authorization", f"Bearer {token}"), ("x-twice", "a"), ("x-twice", "b")]
    assert (await stub.Echo(pb.EchoRequest(text="x"), metadata=good)).text == "x"


async def test_metadata_without_end_are_refused_and_the_next_call_is_served(start: Start) -> None:
    running = await start()
    token = running.keys.add("ingest", K.SERVICE).token("test")
    stub = pb_grpc.EchoServiceStub(running.bare_channel())
    bearer = ("authorization", f"Bearer {token}")
    for more in ([("x", "y" * 100_000)], [(f"x-{each}", "y" * 100) for each in range(1_000)]):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Echo(pb.EchoRequest(text="x"), metadata=[bearer, *more])
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (await stub.Echo(pb.EchoRequest(text="x"), metadata=[bearer])).text == "x"


def minted(**changes: Any) -> Callable[[RunningServer, FakeClock], str]:
    def make(running: RunningServer, clock: FakeClock) -> str:
        running.keys.add("ingest", K.SERVICE)
        values: dict[str, Any] = {
            "issuer": "ingest",
            "audience": "test",
            "lifetime": timedelta(seconds=60),
            "clock": clock,
        }
        return mint(running.keys.private_key("ingest"), **values | changes)

    return make


def of_another_key(running: RunningServer, clock: FakeClock) -> str:
    running.keys.add("ingest", K.SERVICE)
    running.keys.add("backend", K.BACKEND)
    return mint(
        running.keys.private_key("backend"),
        issuer="ingest",
        audience="test",
        lifetime=timedelta(seconds=60),
        clock=clock,
    )


@pytest.mark.parametrize(
    ("make", "skew", "expected"),
    [
        pytest.param(minted(), 0, "OK", id="good"),
        pytest.param(minted(audience=["a", "test"]), 0, "OK", id="one-of-the-audiences"),
        pytest.param(minted(audience="ingest"), 0, "UNAUTHENTICATED", id="another-audience"),
        pytest.param(minted(issuer="nobody"), 0, "UNAUTHENTICATED", id="unknown-issuer"),
        pytest.param(of_another_key, 0, "UNAUTHENTICATED", id="signed-by-another-key"),
        pytest.param(
            minted(lifetime=timedelta(minutes=2)), 0, "UNAUTHENTICATED", id="made-to-live-too-long"
        ),
        pytest.param(minted(), 89, "OK", id="expired-within-the-skew"),
        pytest.param(minted(), 91, "TOKEN_EXPIRED", id="expired"),
        pytest.param(minted(), -29, "OK", id="from-a-clock-ahead"),
        pytest.param(minted(), -31, "UNAUTHENTICATED", id="from-the-future"),
    ],
)
async def test_a_token_counts_for_its_time_and_audience(
    start: Start, make: Callable[[RunningServer, FakeClock], str], skew: int, expected: str
) -> None:
    clock = FakeClock()
    running = await start(clock=clock)
    token = make(running, clock)
    clock.advance(timedelta(seconds=skew))
    assert await outcome(running.channel_with(StaticToken(token))) == expected


@pytest.mark.parametrize(
    ("kind", "lifetime"),
    [
        pytest.param(K.SERVICE, timedelta(seconds=60), id="service"),
        pytest.param(K.BACKEND, timedelta(seconds=60), id="backend"),
        pytest.param(K.OPERATOR, timedelta(hours=1), id="operator"),
    ],
)
async def test_two_clocks_may_be_thirty_seconds_apart_and_no_more(
    start: Start, kind: K, lifetime: timedelta
) -> None:
    clock = FakeClock()
    running = await start(clock=clock)
    running.keys.add("caller", kind)
    key = running.keys.private_key("caller")

    async def after(seconds: float, lifetime: timedelta = lifetime) -> str:
        """The outcome with a token of a clock that is so far behind, whoever came before."""
        theirs = FakeClock(clock.now() - timedelta(seconds=seconds))
        token = mint(key, issuer="caller", audience="test", lifetime=lifetime, clock=theirs)
        return await outcome(running.channel_with(StaticToken(token)))

    ends = lifetime.total_seconds()
    assert [await after(each) for each in (0, -30, -31)] == ["OK", "OK", "UNAUTHENTICATED"]
    assert [await after(ends + each) for each in (29, 30)] == ["OK", "TOKEN_EXPIRED"]
    assert await after(0, lifetime + timedelta(seconds=1)) == "UNAUTHENTICATED"


async def test_a_verified_token_expires_all_the_same(start: Start) -> None:
    clock = FakeClock()
    running = await start(clock=clock)
    channel = running.channel_with(StaticToken(minted()(running, clock)))
    assert await outcome(channel) == "OK"
    clock.advance(timedelta(seconds=91))
    assert await outcome(channel) == "TOKEN_EXPIRED"


async def test_a_key_taken_out_of_the_directory_is_refused(start: Start) -> None:
    running = await start()
    channel = running.channel(K.SERVICE, name="ingest")
    assert await outcome(channel) == "OK"
    running.keys.trust_file.write_text("")
    assert await outcome(channel) == "UNAUTHENTICATED"


async def test_a_source_hands_out_a_fresh_token_before_the_old_one_ends(start: Start) -> None:
    clock = FakeClock()
    running = await start(clock=clock)
    source = running.keys.add("ingest", K.SERVICE)
    first = source.token("test")
    clock.advance(timedelta(seconds=44))
    assert source.token("test") == first
    clock.advance(timedelta(seconds=2))
    assert source.token("test") != first
    assert source.token("other") != source.token("test")


@pytest.mark.parametrize(
    ("kind", "name", "methods", "called"),
    [
        pytest.param(K.OPERATOR, "o", ("*",), ("Echo", "OK"), id="operator"),
        pytest.param(K.GATEWAY, "g", ("*",), ("Echo", "CALLER_NOT_ALLOWED"), id="kind-not-listed"),
        pytest.param(K.SERVICE, "ingest", (), ("Echo", "CALLER_NOT_ALLOWED"), id="no-methods"),
        pytest.param(K.SERVICE, "ingest", (f"{NAME}/Echo",), ("Echo", "OK"), id="its-method"),
        pytest.param(
            K.SERVICE, "ingest", (f"{NAME}/Ec",), ("Echo", "CALLER_NOT_ALLOWED"), id="other-method"
        ),
        pytest.param(K.SERVICE, "ingest", ("*",), ("Change", "CALLER_NOT_ALLOWED"), id="by-name"),
        pytest.param(K.SERVICE, "scoring", ("*",), ("Change", "OK"), id="the-named-service"),
        pytest.param(
            K.BACKEND, "scoring", ("*",), ("Change", "CALLER_NOT_ALLOWED"), id="name-alone"
        ),
        pytest.param(
            K.OPERATOR, "o", ("*",), ("Undeclared", "CALLER_NOT_ALLOWED"), id="undeclared"
        ),
    ],
)
async def test_a_method_is_for_whom_it_declares(
    start: Start, kind: K, name: str, methods: tuple[str, ...], called: tuple[str, str]
) -> None:
    running = await start()
    method, expected = called
    assert await outcome(running.channel(kind, name=name, methods=methods), method) == expected


@pytest.mark.parametrize(
    ("installations", "asked", "expected"),
    [
        pytest.param(None, 5, "OK", id="all"),
        pytest.param((5, 6), 5, "OK", id="covered"),
        pytest.param((5, 6), 7, "INSTALLATION_NOT_COVERED", id="another"),
        pytest.param((5, 6), 0, "INSTALLATION_NOT_COVERED", id="unnamed"),
        pytest.param((), 5, "INSTALLATION_NOT_COVERED", id="none"),
    ],
)
async def test_a_backend_reaches_the_installations_of_its_key(
    start: Start, installations: tuple[int, ...] | None, asked: int, expected: str
) -> None:
    running = await start()
    channel = running.channel(K.BACKEND, installations=installations)
    assert await outcome(channel, installation_id=asked) == expected


async def test_a_stream_may_not_wander_to_another_installation(start: Start) -> None:
    running = await start()
    stub = pb_grpc.EchoServiceStub(running.channel(K.BACKEND, installations=(5,)))

    async def join(*ids: int) -> str:
        async def requests() -> Any:
            for installation_id in ids:
                yield pb.EchoRequest(text="x", installation_id=installation_id)

        try:
            return str((await stub.Join(requests())).text)
        except RemoteError as error:
            return error.reason

    assert await join(5, 0, 5) == "xxx"
    assert await join(5, 6) == "INSTALLATION_NOT_COVERED"
    assert await join(0, 5) == "INSTALLATION_NOT_COVERED"


class Sessions(SessionResolver):
    async def resolve(self, token: str) -> Principal:
        if token != "a" * 64:
            raise Unauthenticated
        return Principal(K.USER, "octocat", user_id=1)


async def test_a_session_token_is_resolved_where_a_resolver_is_given(start: Start) -> None:
    with_sessions, without = await start(sessions=Sessions()), await start()
    good, bad = StaticToken("a" * 64), StaticToken("b" * 64)
    assert await outcome(with_sessions.channel_with(good)) == "OK"
    assert await outcome(with_sessions.channel_with(good), "Change") == "CALLER_NOT_ALLOWED"
    assert await outcome(with_sessions.channel_with(bad)) == "UNAUTHENTICATED"
    assert await outcome(without.channel_with(good)) == "UNAUTHENTICATED"


async def test_an_operators_token_lives_an_hour_and_names_its_audiences(start: Start) -> None:
    running = await start()
    running.keys.add("root", K.OPERATOR)
    key = running.keys.private_key("root")
    token = mint(
        key,
        issuer="root",
        audience=("test", "ingest"),
        lifetime=timedelta(hours=1),
        clock=SystemClock(),
    )
    assert await outcome(running.channel_with(StaticToken(token)), "Change") == "OK"
    elsewhere = mint_operator_token(key, name="root", audiences=("ingest",))
    assert await outcome(running.channel_with(StaticToken(elsewhere))) == "UNAUTHENTICATED"


async def test_the_servicer_knows_who_calls(start: Start) -> None:
    running = await start()
    tokens: TokenSource = running.keys.add("scoring", K.SERVICE)
    stub = pb_grpc.EchoServiceStub(running.channel_with(tokens))
    answer = await stub.Echo(pb.EchoRequest(text="x"))
    assert answer.seen["caller"] == "service:scoring"


async def test_one_callers_identity_is_not_the_next_ones(start: Start) -> None:
    servicer = EchoServicer()
    running = await start(servicer)
    first = pb_grpc.EchoServiceStub(running.channel(K.SERVICE, name="a"))
    second = pb_grpc.EchoServiceStub(running.channel(K.OPERATOR, name="b"))
    answers = [await stub.Echo(pb.EchoRequest()) for stub in (first, second, first)]
    assert [each.seen["caller"] for each in answers] == ["service:a", "operator:b", "service:a"]
