"""What boards say of how much is known of their scope."""

import asyncio

import pytest

from laurel.leaderboard.v1.leaderboard_pb2 import GetLeaderboardRequest, GetLeaderboardResponse
from laurel_leaderboard.application.scope_coverage import LIFETIME, RENEWAL, RETRY, Scope
from laurel_leaderboard.domain.boards import BoardKey, EntityType, ScopeType, TimePeriod
from tests.rpc.leaderboard.conftest import Service
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    ORGANIZATION,
    BoardOf,
    board_message,
    stream_of,
)

WHOLE = Scope(INSTALLATION, ScopeType.ORGANIZATION, ORGANIZATION)
REPOSITORY = BoardKey(ScopeType.REPOSITORY, 901, EntityType.CONTRIBUTOR, TimePeriod.ALL_TIME)


async def get(service: Service, key: BoardKey = CONTRIBUTORS) -> GetLeaderboardResponse:
    request = GetLeaderboardRequest(board=board_message(key))
    answer: GetLeaderboardResponse = await service.boards.GetLeaderboard(request)
    return answer


@pytest.fixture
async def published(service: Service) -> Service:
    await service.publish(*stream_of(BoardOf({1: 5}), BoardOf({1: 5}, key=REPOSITORY)))
    return service


async def test_each_board_shows_its_scopes_coverage(published: Service) -> None:
    published.coverage.lines = {
        WHOLE: "1 of 2 repositories whole",
        Scope(INSTALLATION, ScopeType.REPOSITORY, 901): "whole",
    }
    answer = await get(published)
    assert answer.coverage.line == "1 of 2 repositories whole"
    assert [entry.entity.id for entry in answer.entries] == [1]
    assert (await get(published, REPOSITORY)).coverage.line == "whole"
    for _ in range(3):
        await get(published)
    assert len(published.coverage.asked) == 2


async def test_a_change_shows_within_a_minute_and_nobody_waits_for_it(published: Service) -> None:
    published.coverage.lines[WHOLE] = "before"
    await get(published)
    published.coverage.lines[WHOLE] = "after"
    published.clock.advance(RENEWAL)
    assert (await get(published)).coverage.line == "before"
    async with asyncio.timeout(20):
        while len(published.coverage.asked) < 2:
            await asyncio.sleep(0.01)
    assert (await get(published)).coverage.line == "after"
    published.coverage.lines[WHOLE] = "later"
    published.clock.advance(LIFETIME)
    assert (await get(published)).coverage.line == "later"


async def test_boards_are_read_without_ingest(published: Service) -> None:
    published.coverage.away = True
    answer = await get(published)
    assert not answer.HasField("coverage")
    assert answer.total_size == 1
    published.coverage.away = False
    published.coverage.lines[WHOLE] = "back"
    assert not (await get(published)).HasField("coverage")
    published.clock.advance(RETRY)
    async with asyncio.timeout(20):
        while (await get(published)).coverage.line != "back":
            await asyncio.sleep(0.01)
    # What was known goes on.
    published.coverage.away = True
    published.clock.advance(LIFETIME)
    assert (await get(published)).coverage.line == "back"


async def test_no_read_waits_long_for_an_ingest_that_hangs(published: Service) -> None:
    published.coverage.hangs = True
    answers = await asyncio.gather(*(get(published) for _ in range(5)))
    assert not any(answer.HasField("coverage") for answer in answers)
    assert len(published.coverage.asked) == 1
    # Those that come later don't wait at all: ingest is asked beside them.
    for asked in (2, 3):
        published.clock.advance(RETRY)
        await get(published)
        async with asyncio.timeout(20):
            while len(published.coverage.asked) < asked or published.coverage.hanging:
                await asyncio.sleep(0.01)
