"""Two leaderboards over one database and one cache: what is published through one is read through
the other.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from laurel.leaderboard.v1 import leaderboard_pb2 as pb
from tests.rpc.leaderboard.conftest import Service, running_service
from tests.support.database import Database
from tests.support.leaderboard_builders import CONTRIBUTORS, BoardOf, board_message, stream_of


@pytest.fixture
async def other(
    service: Service, database: Database, redis_url: str, tmp_path: Path
) -> AsyncIterator[Service]:
    """The second one, with connections and memory of its own; its clock stands still, so that
    nothing that it remembers ages.
    """
    directory = tmp_path / "other"
    directory.mkdir()
    # A service has one key, which page tokens are made with.
    key_file = tmp_path / "leaderboard.key"
    async with running_service(
        database, redis_url, directory, seed=False, key_file=key_file
    ) as running:
        loops = [asyncio.create_task(loop()) for loop in running.inner.loops]
        yield running
        for each in loops:
            each.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def publish(service: Service, scores: dict[int, int]) -> None:
    as_of = service.clock.advance(timedelta(minutes=1))
    await service.publish(*stream_of(BoardOf(scores, CONTRIBUTORS), as_of=as_of))


async def read(service: Service, page_token: str = "") -> pb.GetLeaderboardResponse:
    board = board_message(CONTRIBUTORS)
    return await service.boards.GetLeaderboard(
        pb.GetLeaderboardRequest(board=board, page_size=1, page_token=page_token)
    )


async def test_what_one_publishes_replaces_what_the_other_remembers(
    service: Service, other: Service
) -> None:
    await publish(service, {1: 30, 2: 20})
    first = await read(other)
    assert first.source != pb.SOURCE_MEMORY
    assert (await read(other)).source == pb.SOURCE_MEMORY
    await publish(service, {1: 31, 2: 20})
    async with asyncio.timeout(30):
        while (latest := await read(other)).version == first.version:
            await asyncio.sleep(0.01)
    assert (latest.version, latest.entries[0].score_e4) == (first.version + 1, 31)
    assert (await read(service)).version == latest.version


async def test_a_walk_that_one_began_the_other_goes_on_with(
    service: Service, other: Service
) -> None:
    await publish(service, {1: 30, 2: 20})
    page = await read(service)
    await publish(service, {3: 99})
    rest = await read(other, page.next_page_token)
    assert (rest.version, [entry.entity.id for entry in rest.entries]) == (page.version, [2])


async def test_who_watches_one_is_told_of_what_the_other_publishes(
    service: Service, other: Service
) -> None:
    await publish(service, {1: 30})
    begun = await read(other)
    stream = other.boards.WatchLeaderboard(
        pb.WatchLeaderboardRequest(
            board=board_message(CONTRIBUTORS), materialization_id=begun.materialization_id
        )
    )
    while other.inner.metrics.statistics.watchers != 1:
        await asyncio.sleep(0.01)
    await publish(service, {1: 40})
    async with asyncio.timeout(30):
        message = await anext(aiter(stream))
    assert message.base_materialization_id == begun.materialization_id
    assert [entry.score_e4 for entry in message.entries] == [40]
    stream.cancel()
