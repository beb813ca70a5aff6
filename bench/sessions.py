"""Sessions: IntrospectToken, cached against a bare server, uncached against one bare SELECT."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from bench import h2load
from bench.measure import Figure, alternate, median_ratio
from bench.reads import bare_server, plain_environ
from bench.signed_in import sign_in, token_of
from bench.stack import laurel, migrate, say, servers
from laurel.identity.v1 import auth_tokens_pb2
from laurel_cli.stack.layout import Layout
from laurel_common.auth.keys import load_private_key
from laurel_common.auth.tokens import TokenSource

METHOD = "/laurel.identity.v1.AuthService/IntrospectToken"
REQUESTS = 20_000
PAIRS = 7
IN_FLIGHT = 64


async def run() -> list[Figure]:
    """Both figures; about two minutes. Raises LoadGeneratorMissingError."""
    h2load.require()
    with servers() as having:
        url = having.new_database("sessions")
        migrate(url, having)
        sign_in(url, REQUESTS)
        async with laurel(having, url) as (_, caller):
            key = load_private_key(Layout(having.root / "laurel").key("leaderboard"))
            tokens = TokenSource("leaderboard", key)
            target = caller.targets["identity"]
            cached = await asyncio.to_thread(_cached, target, tokens)
            with _select_server(url) as selecting:
                uncached = await asyncio.to_thread(_uncached, target, selecting, tokens)
            return [cached, uncached]


def _request(number: int) -> bytes:
    request = auth_tokens_pb2.IntrospectTokenRequest(token=token_of(number))
    return request.SerializeToString()


def _cached(target: str, tokens: TokenSource) -> Figure:
    message = _request(0)
    answer = asyncio.run(_ask(target, tokens, [message]))
    with bare_server(answer, METHOD) as (bare, _):

        def rate(at: str) -> float:
            load = h2load.run(
                at,
                METHOD,
                message,
                requests=REQUESTS,
                token=tokens.token("identity"),
                # How long an answer may be kept is told to the nanosecond, or not at all.
                answer_size=len(answer) - 16,
            )
            return load.requests_per_second

        def ours(_pair: int) -> float:
            return _said("Laurel, cached", rate(target))

        def limit(_pair: int) -> float:
            return _said("bare", rate(bare))

        ours(0), limit(0)  # warm both
        subject, other = alternate(ours, limit, PAIRS)
    return _figure("cached, 64 in flight", "bare grpc.aio server, same bytes", subject, other)


def _uncached(target: str, selecting: str, tokens: TokenSource) -> Figure:
    """Every token once in a measurement: whatever was kept of it has lapsed by the next."""
    messages = [_request(each) for each in range(REQUESTS)]

    def rate(at: str) -> float:
        began = time.perf_counter()
        asyncio.run(_ask(at, tokens, messages))
        return len(messages) / (time.perf_counter() - began)

    def ours(_pair: int) -> float:
        return _said("Laurel, uncached", rate(target))

    def limit(_pair: int) -> float:
        return _said("one SELECT per call", rate(selecting))

    ours(0), limit(0)  # warm both
    subject, other = alternate(ours, limit, PAIRS)
    return _figure("every token new, 64 in flight", "one bare SELECT per call", subject, other)


async def _ask(target: str, tokens: TokenSource, messages: list[bytes]) -> bytes:
    """Asks about each, so many at a time; the last answer. Both sides pay for this client."""
    waiting = iter(messages)
    answer = b""
    async with grpc.aio.insecure_channel(target) as channel:
        call: Any = channel.unary_unary(METHOD)

        async def work() -> None:
            nonlocal answer
            for message in waiting:
                metadata = (("authorization", f"Bearer {tokens.token('identity')}"),)
                answer = await call(message, metadata=metadata)

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return answer


def _figure(what: str, limit: str, subject: list[float], other: list[float]) -> Figure:
    return Figure(
        "sessions",
        f"IntrospectToken, {what}",
        limit,
        median_ratio(subject, other),
        0.8,
        at_least=True,
        unit="calls/s",
        subject_values=subject,
        limit_values=other,
    )


def _said(who: str, rate: float) -> float:
    say(f"{who}: {rate:,.0f} calls/s")
    return rate


@contextmanager
def _select_server(url: str) -> Iterator[str]:
    command = [sys.executable, "-m", "bench.select_server", url, METHOD]
    with subprocess.Popen(
        command, env=plain_environ(), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield f"127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()
