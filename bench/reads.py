"""Reading: GetLeaderboard of 50 rows, cached, through the full chain with 64 calls in flight,
against a bare grpc.aio server that returns the same bytes."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench import h2load
from bench.boards import score, top
from bench.dataset import Tenant, generate
from bench.loading import batches, load_directory, write_signals
from bench.measure import Figure, alternate, median_ratio
from bench.signed_in import sign_in, token_of
from bench.stack import cpu_seconds, laurel, leaderboard, migrate, say, servers
from laurel.leaderboard.v1 import leaderboard_pb2_grpc
from laurel_cli.rpc.caller import Caller
from laurel_cli.stack.stack import Stack

METHOD = "/laurel.leaderboard.v1.LeaderboardService/GetLeaderboard"
SIGNALS = 5_000
REQUESTS = 20_000
PAIRS = 7
# Enough for the kernel to spread them over two processes.
CONNECTIONS = 16


async def run() -> list[Figure]:
    """The figures; about three minutes. Raises LoadGeneratorMissingError."""
    h2load.require()
    tenant = Tenant(0)
    with servers() as having:
        url = having.new_database("reads")
        migrate(url, having)
        load_directory(url, tenant)
        async with laurel(having, url) as (stack, caller):
            ready = list(batches(generate(SIGNALS, datetime.now(UTC), tenant, seed=1)))
            await write_signals(caller, tenant, ready)
            await score(caller, tenant)
            answer = await _answer(caller, tenant)
            found = _measure(stack, caller, tenant, answer)
            sign_in(url, 1, tenant)
            found += _measure(stack, caller, tenant, answer, session_token=token_of(0))
            return [*found, _processes(stack, caller, tenant, answer)]


async def _answer(caller: Caller, tenant: Tenant) -> bytes:
    """The bytes that every call is answered with; 50 entries from memory."""
    async with caller.channel("leaderboard") as channel:
        stub = leaderboard_pb2_grpc.LeaderboardServiceStub(channel)
        await stub.GetLeaderboard(top(tenant))
        page = await stub.GetLeaderboard(top(tenant))
    assert len(page.entries) == 50, len(page.entries)
    return page.SerializeToString()


def _measure(
    stack: Stack, caller: Caller, tenant: Tenant, answer: bytes, *, session_token: str = ""
) -> list[Figure]:
    """With an operator's token, or with a user's session."""
    message = top(tenant).SerializeToString()
    with (
        leaderboard(stack, processes=1) as (target, pid),
        bare_server(answer, METHOD) as (bare, bare_pid),
    ):
        late: dict[str, list[float]] = {"Laurel": [], "bare": []}
        cost: dict[str, list[float]] = {"Laurel": [], "bare": []}

        def measured(who: str, where: str, process: int) -> float:
            # The same requests, token and all, though nobody looks at them on the bare server.
            token = session_token or caller.tokens.token("leaderboard")
            # What is known of a session lapses while the other one is measured.
            _load(where, message, answer, token, requests=h2load.IN_FLIGHT)
            before = cpu_seconds(process)
            load = _load(where, message, answer, token)
            late[who].append(load.p99)
            cost[who].append((cpu_seconds(process) - before) / REQUESTS * 1e6)
            return _said(who, load)

        def ours(_pair: int) -> float:
            return measured("Laurel", target, pid)

        def limit(_pair: int) -> float:
            return measured("bare", bare, bare_pid)

        ours(0), limit(0)  # warm both
        for values in (*late.values(), *cost.values()):
            values.clear()
        subject, other = alternate(ours, limit, PAIRS)
    what, against = "GetLeaderboard, 50 rows, cached, 64 in flight", "bare server, same bytes"
    if session_token:
        what += ", a user's session"
    return [
        Figure(
            "reads",
            what,
            against,
            median_ratio(subject, other),
            0.9,
            at_least=True,
            unit="calls/s",
            subject_values=subject,
            limit_values=other,
            notes={"answer_bytes": len(answer)},
        ),
        Figure(
            "reads cpu",
            f"{what}, time on a core a call",
            against,
            median_ratio(cost["Laurel"], cost["bare"]),
            1 / 0.9,
            at_least=False,
            unit="µs",
            subject_values=cost["Laurel"],
            limit_values=cost["bare"],
        ),
        Figure(
            "reads p99",
            f"{what}, p99",
            f"{against}, p99",
            median_ratio(late["Laurel"], late["bare"]),
            1.3,
            at_least=False,
            unit="ms",
            subject_values=late["Laurel"],
            limit_values=late["bare"],
        ),
    ]


def _processes(stack: Stack, caller: Caller, tenant: Tenant, answer: bytes) -> Figure:
    """Two processes on one port against one. The load generator needs cores, too: where there are
    two in all, it and the services share them, and the figure says what is left.
    """
    message = top(tenant).SerializeToString()
    with (
        leaderboard(stack, processes=1) as (one, _),
        leaderboard(stack, processes=2) as (two, _),
    ):

        def of(target: str) -> Callable[[int], float]:
            def measured(_pair: int) -> float:
                token = caller.tokens.token("leaderboard")
                load = _load(target, message, answer, token, connections=CONNECTIONS)
                return _said("one" if target == one else "two", load)

            return measured

        of(one)(0), of(two)(0)  # warm both
        subject, other = alternate(of(two), of(one), PAIRS)
    return Figure(
        "reads by two",
        "the same with 2 processes on one port",
        "1 process",
        median_ratio(subject, other),
        1.6,
        at_least=True,
        unit="calls/s",
        subject_values=subject,
        limit_values=other,
        notes={"cores": os.cpu_count() or 0},
    )


def _load(
    target: str,
    message: bytes,
    answer: bytes,
    token: str,
    *,
    connections: int = 4,
    requests: int = REQUESTS,
) -> h2load.Load:
    return h2load.run(
        target,
        METHOD,
        message,
        requests=requests,
        token=token,
        # Page tokens and times may differ by some bytes from call to call.
        answer_size=len(answer) - 64,
        connections=connections,
    )


def _said(who: str, load: h2load.Load) -> float:
    say(f"{who}: {load.requests_per_second:,.0f} calls/s, p99 {load.p99:.1f} ms")
    return load.requests_per_second


def plain_environ() -> dict[str, str]:
    """For a server that is as grpc.aio comes: importing Laurel has set this process's switches."""
    return {name: value for name, value in os.environ.items() if name != "GRPC_EXPERIMENTS"}


@contextmanager
def bare_server(answer: bytes, method: str) -> Iterator[tuple[str, int]]:
    """A server of the same bytes for every call: where it is, and its process id."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "answer"
        file.write_bytes(answer)
        command = [sys.executable, "-m", "bench.bare_server", str(file), method]
        with subprocess.Popen(
            command, env=plain_environ(), stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                yield f"127.0.0.1:{process.stdout.readline().strip()}", process.pid
            finally:
                process.terminate()
