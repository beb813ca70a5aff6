"""Pages that nobody has in memory: at rank 100,000 of 200,000 against the first."""

import asyncio
import time

import numpy as np

from bench.measure import Figure, median_ratio
from bench.publishing import Publisher, board, seed
from bench.stack import laurel, migrate, say, servers
from laurel.leaderboard.v1 import leaderboard_pb2, leaderboard_pb2_grpc
from laurel_cli.rpc.caller import Caller

PEOPLE = 200_000
DEPTH = 100_000
# Pages of other sizes are other pages: each is read once, and so from PostgreSQL.
SIZES = range(20, 80)


async def run() -> list[Figure]:
    """The figure; about a minute."""
    with servers() as having:
        url = having.new_database("pages")
        migrate(url, having)
        seed(url, PEOPLE)
        async with laurel(having, url) as (stack, caller):
            scores = np.random.default_rng(1).integers(0, 10**9, PEOPLE)
            await Publisher(stack, caller.targets["leaderboard"]).publish(scores)
            having.settle("pages")
            return [await _measure(caller)]


async def _measure(caller: Caller) -> Figure:
    async with caller.channel("leaderboard") as channel:
        stub = leaderboard_pb2_grpc.LeaderboardServiceStub(channel)

        async def read(size: int, token: str = "") -> leaderboard_pb2.GetLeaderboardResponse:
            page: leaderboard_pb2.GetLeaderboardResponse = await stub.GetLeaderboard(
                leaderboard_pb2.GetLeaderboardRequest(
                    board=board(), page_size=size, page_token=token
                )
            )
            return page

        async def seconds(size: int, token: str = "") -> float:
            # What a version's pointer costs is paid before, on both sides.
            await read(10, token)
            started = time.perf_counter()
            page = await read(size, token)
            assert page.source == leaderboard_pb2.SOURCE_POSTGRESQL, page.source
            return time.perf_counter() - started

        token = ""
        for _ in range(0, DEPTH, 500):
            token = (await read(500, token)).next_page_token
            await asyncio.sleep(0)
        say(f"walked to rank {DEPTH:,}")
        deep, first = list[float](), list[float]()
        for number, size in enumerate(SIZES):
            for values, where in ((deep, token), (first, ""))[:: 1 if number % 2 else -1]:
                values.append(1000 * await seconds(size, where))
    return Figure(
        "pages",
        f"page at rank {DEPTH:,} of {PEOPLE:,}, uncached",
        "page at rank 1, uncached",
        median_ratio(deep, first),
        1.2,
        at_least=False,
        unit="ms",
        subject_values=deep,
        limit_values=first,
    )
