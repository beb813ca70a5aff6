"""Reading: GetLeaderboard of 50 rows, cached, through the full chain with 64 calls in flight,
against a bare grpc.aio server that returns the same bytes."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench import h2load
from bench.boards import score, top
from bench.dataset import Tenant, generate
from bench.loading import batches, load_directory, write_signals
from bench.measure import Figure, alternate, median_ratio
from bench.stack import laurel, migrate, say, servers
from laurel.leaderboard.v1 import leaderboard_pb2_grpc
from laurel_cli.rpc.caller import Caller

METHOD = "/laurel.leaderboard.v1.LeaderboardService/GetLeaderboard"
SIGNALS = 20_000
REQUESTS = 20_000
PAIRS = 7


async def run() -> list[Figure]:
    """The figure; about two minutes. Raises LoadGeneratorMissingError."""
    h2load.require()
    tenant = Tenant(0)
    with servers() as having:
        url = having.new_database("reads")
        migrate(url, having)
        load_directory(url, tenant)
        async with laurel(having, url) as (_, caller):
            ready = list(batches(generate(SIGNALS, datetime.now(UTC), tenant, seed=1)))
            await write_signals(caller, tenant, ready)
            await score(caller, tenant)
            answer = await _answer(caller, tenant)
            return [_measure(caller, tenant, answer)]


async def _answer(caller: Caller, tenant: Tenant) -> bytes:
    """The bytes that every call is answered with; 50 entries from memory."""
    async with caller.channel("leaderboard") as channel:
        stub = leaderboard_pb2_grpc.LeaderboardServiceStub(channel)
        await stub.GetLeaderboard(top(tenant))
        page = await stub.GetLeaderboard(top(tenant))
    assert len(page.entries) == 50, len(page.entries)
    return page.SerializeToString()


def _measure(caller: Caller, tenant: Tenant, answer: bytes) -> Figure:
    message = top(tenant).SerializeToString()
    target = caller.targets["leaderboard"]
    with _bare_server(answer) as bare:

        def ours(_pair: int) -> float:
            token = caller.tokens.token("leaderboard")
            return _said("Laurel", _rate(target, message, answer, token))

        def limit(_pair: int) -> float:
            # The same requests, token and all, though nobody looks at them.
            token = caller.tokens.token("leaderboard")
            return _said("bare", _rate(bare, message, answer, token))

        ours(0), limit(0)  # warm both
        subject, other = alternate(ours, limit, PAIRS)
    return Figure(
        "reads",
        "GetLeaderboard, 50 rows, cached, full chain, 64 in flight",
        "bare grpc.aio server, same bytes",
        median_ratio(subject, other),
        0.75,
        at_least=True,
        unit="calls/s",
        subject_values=subject,
        limit_values=other,
        notes={"answer_bytes": len(answer)},
    )


def _rate(target: str, message: bytes, answer: bytes, token: str) -> float:
    load = h2load.run(
        target,
        METHOD,
        message,
        requests=REQUESTS,
        token=token,
        # Page tokens and times may differ by some bytes from call to call.
        answer_size=len(answer) - 64,
    )
    return load.requests_per_second


def _said(who: str, rate: float) -> float:
    say(f"{who}: {rate:,.0f} calls/s")
    return rate


@contextmanager
def _bare_server(answer: bytes) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "answer"
        file.write_bytes(answer)
        command = [sys.executable, "-m", "bench.bare_server", str(file), METHOD]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield f"127.0.0.1:{process.stdout.readline().strip()}"
            finally:
                process.terminate()
