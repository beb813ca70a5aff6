"""GetHistory over the wire."""

from datetime import timedelta
from typing import Any

import pytest

from laurel.leaderboard.v1 import leaderboard_pb2_grpc
from laurel.leaderboard.v1.leaderboard_pb2 import GetHistoryRequest, GetHistoryResponse
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_leaderboard.domain.boards import TimePeriod
from tests.rpc.leaderboard.conftest import Service
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    BoardOf,
    board_message,
    stream_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def service(emptied_service: Service) -> Service:
    return emptied_service


DAY = timedelta(days=1)
Point = tuple[int, str, int, int]


async def live(service: Service, *days: dict[int, int]) -> None:
    """Publishes one day's scores after another from NOON's day on; ends on the day behind them."""
    for scores in days:
        await service.publish(*stream_of(BoardOf(scores), as_of=service.clock.now()))
        service.clock.advance(DAY)
        await service.inner.retire()


async def history(service: Service, **fields: Any) -> GetHistoryResponse:
    values: dict[str, Any] = {"board": board_message(), "entity_ids": [1, 2]} | fields
    return await service.boards.GetHistory(GetHistoryRequest(**values))


def points(answer: GetHistoryResponse) -> list[Point]:
    return [(p.entity_id, p.date, p.rank, p.score_e4) for p in answer.points]


async def test_entities_are_shown_day_by_day(service: Service) -> None:
    await live(service, {1: 10, 2: 20}, {1: 30, 2: 20}, {2: 825_000})
    answer = await history(service)
    assert points(answer) == [
        (1, "2026-01-15", 2, 10),
        (1, "2026-01-16", 1, 30),
        (2, "2026-01-15", 1, 20),
        (2, "2026-01-16", 2, 20),
        (2, "2026-01-17", 1, 825_000),
    ]
    assert answer.points[-1].score == "82.5000"
    assert answer.next_page_token == ""


@pytest.mark.parametrize("page_size", [1, 3, 7])
async def test_a_walk_shows_each_point_once_also_over_midnight(
    service: Service, page_size: int
) -> None:
    await live(service, *({1: n, 2: 50, 3: n} for n in range(1, 9)))
    wanted = points(await history(service, entity_ids=[3, 1, 2]))
    assert len(wanted) == 24
    answer = await history(service, entity_ids=[3, 1, 2], page_size=page_size)
    seen = points(answer)
    await live(service, {1: 99, 2: 99, 3: 99})
    while answer.next_page_token:
        answer = await history(
            service,
            entity_ids=[3, 1, 2],
            page_size=page_size,
            page_token=answer.next_page_token,
        )
        assert len(answer.points) <= page_size
        seen += points(answer)
    assert seen == wanted


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"start_date": "2026-01-16"}, ["2026-01-16", "2026-01-17"]),
        ({"end_date": "2026-01-16"}, ["2026-01-15", "2026-01-16"]),
        ({"start_date": "2026-01-16", "end_date": "2026-01-16"}, ["2026-01-16"]),
        ({"start_date": "2026-01-18", "end_date": "2030-01-01"}, []),
        ({"start_date": "0001-01-01", "end_date": "9999-12-31"}, 3),
    ],
    ids=str,
)
async def test_both_ends_of_the_days_are_included(
    service: Service, fields: dict[str, str], expected: list[str] | int
) -> None:
    await live(service, {1: 10}, {1: 20}, {1: 30})
    found = [point[1] for point in points(await history(service, **fields))]
    assert (len(found) if isinstance(expected, int) else found) == expected


async def test_a_board_without_a_day_yet_has_no_points(service: Service) -> None:
    await service.publish(*stream_of(BoardOf({1: 10})))
    assert await history(service) == GetHistoryResponse()


@pytest.mark.parametrize(
    ("fields", "fields_at_fault"),
    [
        ({"start_date": "2026-02-30"}, ["start_date"]),
        ({"start_date": "20260115", "end_date": "yesterday"}, ["start_date", "end_date"]),
        ({"start_date": "2026-W03-4"}, ["start_date"]),
        ({"start_date": "2026-01-16", "end_date": "2026-01-15"}, ["end_date"]),
        ({"entity_ids": []}, ["entity_ids"]),
        ({"entity_ids": range(1, 52)}, ["entity_ids"]),
        ({"page_size": 2001}, ["page_size"]),
        ({"board": None}, ["board"]),
    ],
    ids=str,
)
async def test_a_faulty_request_names_its_fields(
    service: Service, fields: dict[str, Any], fields_at_fault: list[str]
) -> None:
    with pytest.raises(RemoteError) as failed:
        await history(service, **fields)
    assert (failed.value.code, failed.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert [violation.field for violation in failed.value.violations] == fields_at_fault


async def test_a_token_goes_with_its_request_alone(service: Service) -> None:
    await live(service, {1: 10, 2: 5}, {1: 20, 2: 5})
    months = CONTRIBUTORS._replace(time_period=TimePeriod.MONTH)
    await service.publish(*stream_of(BoardOf({1: 1}, months), as_of=service.clock.now()))
    token = (await history(service, page_size=1)).next_page_token
    others: list[dict[str, Any]] = [
        {"entity_ids": [1]},
        {"board": board_message(months)},
        {"board": board_message(installation_id=5)},
        {"start_date": "2026-01-15"},
    ]
    for fields in others:
        with pytest.raises(RemoteError) as failed:
            await history(service, page_token=token, **fields)
        assert failed.value.reason == "INVALID_PAGE_TOKEN"
        assert failed.value.code == "INVALID_ARGUMENT"
        assert [violation.field for violation in failed.value.violations] == ["page_token"]


async def test_a_board_of_another_installation_is_not_found(service: Service) -> None:
    await live(service, {1: 10})
    for board in (
        board_message(installation_id=INSTALLATION + 1),
        board_message(installation_id=INSTALLATION + 1, preset_id=7),
    ):
        with pytest.raises(RemoteError) as failed:
            await history(service, board=board)
        assert (failed.value.code, failed.value.reason) == ("NOT_FOUND", "BOARD_NOT_FOUND")


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        (PrincipalKind.BACKEND, {"installations": [5]}, "INSTALLATION_NOT_COVERED"),
        (PrincipalKind.SERVICE, {}, "CALLER_NOT_ALLOWED"),
        (PrincipalKind.GATEWAY, {}, "CALLER_NOT_ALLOWED"),
    ],
)
async def test_others_read_no_history(
    service: Service, kind: PrincipalKind, options: dict[str, Any], reason: str
) -> None:
    channel = service.channel(kind, name=f"some-{kind}", **options)
    stub = leaderboard_pb2_grpc.LeaderboardServiceStub(channel)
    with pytest.raises(RemoteError) as failed:
        await stub.GetHistory(GetHistoryRequest(board=board_message(), entity_ids=[1]))
    assert (failed.value.code, failed.value.reason) == ("PERMISSION_DENIED", reason)
