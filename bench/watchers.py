"""Ten thousand watchers of a board on one process: until all know of a change; their memory."""

import asyncio
import subprocess
import sys
import time

import grpc
import numpy as np

from bench.measure import Figure, median_ratio
from bench.publishing import Publisher, board, seed
from bench.stack import laurel, migrate, peak_memory_mb, pid_of, say, servers
from laurel.leaderboard.v1 import leaderboard_pb2, leaderboard_pb2_grpc
from laurel_cli.rpc.caller import Caller

WATCHERS = 10_000
FEW = 1_000
PEOPLE = 1_000
CHANGES = 5
_CHANNELS = 20


class Audience:
    """Watchers in a process of their own, which says when all have been told."""

    def __init__(self, caller: Caller, number: int) -> None:
        target, token = caller.targets["leaderboard"], caller.tokens.token("leaderboard")
        self._command = [sys.executable, "-m", "bench.watchers", target, token, str(number)]

    def __enter__(self) -> "Audience":
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def wait(self) -> None:
        """Returns when all have been told of the next change."""
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise RuntimeError("the watchers are gone")


async def watch(target: str, token: str, number: int) -> None:
    """Opens so many watches and prints a line whenever all of them were told once more."""
    heard = 0
    channels = [
        grpc.aio.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)])
        for _ in range(_CHANNELS)
    ]

    async def one(index: int) -> None:
        nonlocal heard
        stub = leaderboard_pb2_grpc.LeaderboardServiceStub(channels[index % _CHANNELS])
        request = leaderboard_pb2.WatchLeaderboardRequest(board=board())
        async for _ in stub.WatchLeaderboard(
            request, metadata=(("authorization", f"Bearer {token}"),)
        ):
            heard += 1
            # No version is skipped: the next one is published when all know of this one.
            if heard % number == 0:
                print(heard, flush=True)

    await asyncio.gather(*map(one, range(number)))


async def run() -> list[Figure]:
    """The figure; about two minutes."""
    with servers() as having:
        url = having.new_database("watchers")
        migrate(url, having)
        seed(url, PEOPLE)
        async with laurel(having, url) as (stack, caller):
            publisher, scores = (
                Publisher(stack, caller.targets["leaderboard"]),
                np.arange(PEOPLE) * 10_000,
            )
            await publisher.publish(scores)
            pid = pid_of(stack, "leaderboard")
            times: dict[int, list[float]] = {}
            before = peak_memory_mb(pid)
            for number in (FEW, WATCHERS):
                times[number] = []
                with Audience(caller, number) as audience:
                    for change in range(CHANGES):
                        scores[change] += 1 + number
                        started = time.perf_counter()
                        await publisher.publish(scores)
                        await asyncio.to_thread(audience.wait)
                        times[number].append(time.perf_counter() - started)
                        say(f"{number:,} watchers told after {times[number][-1]:.2f} s")
            grown = peak_memory_mb(pid) - before
    each = {number: [t / number * 1e6 for t in seconds] for number, seconds in times.items()}
    return [
        Figure(
            "watchers",
            f"{WATCHERS:,} watchers of one board told of a change, a watcher",
            f"{FEW:,} watchers, a watcher",
            median_ratio(each[WATCHERS], each[FEW]),
            1.2,
            at_least=False,
            unit="µs",
            subject_values=each[WATCHERS],
            limit_values=each[FEW],
            notes={"memory_mb": round(grown), "kb_each": round(grown * 1024 / WATCHERS, 1)},
        )
    ]


if __name__ == "__main__":
    asyncio.run(watch(sys.argv[1], sys.argv[2], int(sys.argv[3])))
