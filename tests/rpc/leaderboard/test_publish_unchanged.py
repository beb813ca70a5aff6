"""Boards that a publishing stream does not send, because they are what they were."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from laurel.leaderboard.v1 import leaderboard_pb2, materialization_pb2
from laurel_common.errors import RemoteError
from laurel_leaderboard.domain.boards import EntityType, TimePeriod
from tests.rpc.leaderboard.conftest import Service
from tests.rpc.leaderboard.test_mark_stale import mark
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    NOON,
    BoardOf,
    Request,
    board_message,
    boards_request,
    header_request,
    stream_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL_TIME, WEEK = 6, 2
REPOSITORIES = CONTRIBUTORS._replace(entity_type=EntityType.REPOSITORY)
SECOND = timedelta(seconds=1)
BOARDS = (
    BoardOf({1: 30_000}),
    BoardOf({901: 10_000}, REPOSITORIES),
    BoardOf({1: 10_000}, CONTRIBUTORS._replace(time_period=TimePeriod.WEEK)),
)


@pytest.fixture
def service(emptied_service: Service) -> Service:
    return emptied_service


def unchanged(count: int, as_of: datetime = NOON, period: int = ALL_TIME, **more: Any) -> Request:
    message = materialization_pb2.UnchangedBoards(
        time_period=period,  # type: ignore[arg-type]  # the wire's number
        board_count=count,
        **{"input_mark": "mark", **more},
    )
    message.as_of.FromDatetime(as_of)
    return Request(unchanged=materialization_pb2.PublishUnchanged(boards=[message]))


async def told(service: Service) -> list[tuple[int, int, float, str]]:
    """Period, version, seconds after noon, and input mark of every board."""
    answer = await service.versions.ListMaterializations(
        materialization_pb2.ListMaterializationsRequest(
            installation_id=INSTALLATION, current_only=True
        )
    )
    return sorted(
        (
            each.board.time_period,
            each.version,
            each.as_of.ToDatetime(tzinfo=NOON.tzinfo).timestamp() - NOON.timestamp(),
            each.input_mark,
        )
        for each in answer.materializations
    )


async def test_they_take_the_new_inputs_and_settle_marks(service: Service) -> None:
    await service.publish(*stream_of(*BOARDS))
    number = await mark(service)
    answer: Any = await service.publish(
        header_request(NOON + SECOND, input_mark="next", stale_mark=number),
        unchanged(2),
        unchanged(1, period=WEEK),
    )
    assert (answer.published_count, answer.unchanged_count) == (0, 3)
    assert await told(service) == [
        (WEEK, 1, 1.0, "next"),
        (ALL_TIME, 1, 1.0, "next"),
        (ALL_TIME, 1, 1.0, "next"),
    ]
    service.clock.advance(6 * SECOND)
    for board in BOARDS:
        request = leaderboard_pb2.GetLeaderboardRequest(board=board_message(board.key))
        page = await service.boards.GetLeaderboard(request)
        assert page.freshness == leaderboard_pb2.FRESHNESS_FRESH


async def test_boards_of_the_same_stream_are_not_among_them(service: Service) -> None:
    await service.publish(*stream_of(*BOARDS))
    changed = BoardOf({1: 31_000})
    await service.publish(*stream_of(changed, as_of=NOON + SECOND), unchanged(1))
    assert await told(service) == [
        (WEEK, 1, 0.0, "mark"),
        (ALL_TIME, 1, 1.0, "mark"),
        (ALL_TIME, 2, 1.0, "mark"),
    ]


@pytest.mark.parametrize(
    ("requests", "reason"),
    [
        pytest.param([unchanged(3)], "CONCURRENT_CHANGE", id="more than there are"),
        pytest.param([unchanged(1)], "CONCURRENT_CHANGE", id="fewer than there are"),
        pytest.param([unchanged(2, input_mark="x")], "CONCURRENT_CHANGE", id="of other inputs"),
        pytest.param([unchanged(2, NOON - SECOND)], "CONCURRENT_CHANGE", id="as of another time"),
        pytest.param([unchanged(2, NOON + SECOND)], "NEWER_VERSION_EXISTS", id="as of later"),
        pytest.param(
            [boards_request(BOARDS[0]), unchanged(1)], "STREAM_OUT_OF_ORDER", id="within a group"
        ),
        pytest.param(
            [Request(unchanged=materialization_pb2.PublishUnchanged())],
            "INVALID_REQUEST",
            id="none at all",
        ),
    ],
)
async def test_what_is_not_as_told_is_refused_and_nothing_noted(
    service: Service, requests: list[Request], reason: str
) -> None:
    await service.publish(*stream_of(*BOARDS))
    before = await told(service)
    with pytest.raises(RemoteError) as refused:
        await service.publish(header_request(NOON + SECOND, input_mark="next"), *requests)
    assert refused.value.reason == reason
    assert await told(service) == before
