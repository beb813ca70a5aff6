"""CompareVersions over the wire."""

from datetime import timedelta
from typing import Any

import pytest

from laurel.leaderboard.v1 import leaderboard_pb2, leaderboard_pb2_grpc
from laurel.leaderboard.v1.leaderboard_pb2 import (
    CHANGE_ENTERED,
    CHANGE_LEFT,
    CHANGE_MOVED,
    CHANGE_RESCORED,
    CompareVersionsRequest,
    CompareVersionsResponse,
)
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


BEFORE = {1: 60, 2: 50, 3: 40, 4: 30, 5: 20}
NOW = {2: 90, 1: 60, 3: 45, 6: 40, 4: 30}


async def publish(service: Service, scores: dict[int, int], **later: Any) -> int:
    """Publishes a version some time after the one before; its id."""
    as_of = service.clock.advance(timedelta(**(later or {"minutes": 1})))
    await service.publish(*stream_of(BoardOf(scores), as_of=as_of))
    page = await service.boards.GetLeaderboard(
        leaderboard_pb2.GetLeaderboardRequest(board=board_message())
    )
    return page.materialization_id


async def compare(service: Service, **fields: Any) -> CompareVersionsResponse:
    values: dict[str, Any] = {"board": board_message()} | fields
    return await service.boards.CompareVersions(CompareVersionsRequest(**values))


async def walk(service: Service, **fields: Any) -> list[Any]:
    found, token = list[Any](), ""
    while True:
        answer = await compare(service, page_token=token, **fields)
        found += answer.movers
        token = answer.next_page_token
        if not token:
            return found


def optional(message: Any, field: str) -> int | None:
    return getattr(message, field) if message.HasField(field) else None


def shown(movers: Any) -> list[tuple[Any, ...]]:
    return [
        (
            mover.entity.id,
            mover.change,
            optional(mover, "rank"),
            optional(mover, "previous_rank"),
            mover.rank_change,
            mover.score_change_e4,
        )
        for mover in movers
    ]


MOVERS = [
    (2, CHANGE_MOVED, 1, 2, 1, 40),
    (1, CHANGE_MOVED, 2, 1, -1, 0),
    (3, CHANGE_RESCORED, 3, 3, 0, 5),
    (6, CHANGE_ENTERED, 4, None, 0, 40),
    (4, CHANGE_MOVED, 5, 4, -1, 0),
    (5, CHANGE_LEFT, None, 5, 0, -20),
]


async def test_movers_are_those_whose_place_changed(service: Service) -> None:
    base = await publish(service, BEFORE)
    now = await publish(service, NOW)
    answer = await compare(service, base_materialization_id=base)
    assert shown(answer.movers) == MOVERS
    assert (answer.version.materialization_id, answer.base_version.materialization_id) == (
        now,
        base,
    )
    assert answer.movers[0].entity.login == "contributor-2"
    assert answer.movers[5].score_change == "-0.0020"
    assert answer.movers[5].previous_score_e4 == 20
    assert answer.next_page_token == ""


async def test_a_day_of_history_is_compared_with_likewise(service: Service) -> None:
    await publish(service, BEFORE)
    service.clock.advance(timedelta(days=1))
    await service.inner.retire()
    await publish(service, NOW)
    answer = await compare(service, base_date="2026-01-15")
    assert shown(answer.movers) == MOVERS
    assert (answer.base_day.date, answer.base_day.entry_count) == ("2026-01-15", 5)
    assert answer.base_day.version == 1


async def test_a_version_differs_in_nothing_from_itself(service: Service) -> None:
    now = await publish(service, NOW)
    assert not (await compare(service, base_materialization_id=now)).movers


@pytest.mark.parametrize("page_size", [1, 2, 5])
async def test_a_walk_repeats_and_skips_nobody_while_the_board_moves_on(
    service: Service, page_size: int
) -> None:
    ties = dict.fromkeys(range(1, 9), 10)
    base = await publish(service, {**ties, 15: 7, 16: 7, 17: 7, 18: 9})
    await publish(service, dict.fromkeys(range(3, 13), 20))
    wanted = shown(await walk(service, base_materialization_id=base))
    assert len(wanted) == 16
    answer = await compare(service, base_materialization_id=base, page_size=page_size)
    seen, version = shown(answer.movers), answer.version
    await publish(service, {1: 1})
    while answer.next_page_token:
        answer = await compare(
            service,
            base_materialization_id=base,
            page_size=page_size,
            page_token=answer.next_page_token,
        )
        assert len(answer.movers) <= page_size
        assert answer.version.materialization_id == version.materialization_id
        seen += shown(answer.movers)
    assert seen == wanted


async def test_what_is_not_kept_any_more_is_not_compared_with(service: Service) -> None:
    base = await publish(service, BEFORE)
    await publish(service, NOW)
    token = (await compare(service, base_materialization_id=base, page_size=1)).next_page_token
    await publish(service, BEFORE)
    service.clock.advance(timedelta(hours=25))
    for page_token in ("", token):
        with pytest.raises(RemoteError) as failed:
            await compare(service, base_materialization_id=base, page_token=page_token, page_size=1)
        assert (failed.value.code, failed.value.reason) == (
            "FAILED_PRECONDITION",
            "VERSION_EXPIRED",
        )


async def test_a_version_of_another_board_is_not_found(service: Service) -> None:
    months = CONTRIBUTORS._replace(time_period=TimePeriod.MONTH)
    other = await publish(service, BEFORE)
    await service.publish(*stream_of(BoardOf({1: 1}, months), as_of=service.clock.now()))
    for wanted in (other, 10**9):
        with pytest.raises(RemoteError) as failed:
            await compare(service, board=board_message(months), base_materialization_id=wanted)
        assert (failed.value.code, failed.value.reason) == ("NOT_FOUND", "VERSION_NOT_FOUND")


@pytest.mark.parametrize("day", ["2026-01-14", "2026-01-15", "2030-01-01"])
async def test_a_day_on_which_the_board_left_nothing_is_told_of(service: Service, day: str) -> None:
    await publish(service, BEFORE)
    with pytest.raises(RemoteError) as failed:
        await compare(service, base_date=day)
    assert (failed.value.code, failed.value.reason) == ("NOT_FOUND", "DAY_NOT_KEPT")


async def test_a_board_that_was_never_scored_is_not_found(service: Service) -> None:
    with pytest.raises(RemoteError) as failed:
        await compare(service, base_date="2026-01-15")
    assert (failed.value.code, failed.value.reason) == ("NOT_FOUND", "BOARD_NOT_FOUND")


async def test_a_token_goes_with_its_request_alone(service: Service) -> None:
    base = await publish(service, BEFORE)
    now = await publish(service, NOW)
    token = (await compare(service, base_materialization_id=base, page_size=1)).next_page_token
    others: list[dict[str, Any]] = [
        {"base_materialization_id": now},
        {"base_date": "2026-01-15"},
        {"base_materialization_id": base, "board": board_message(installation_id=5)},
    ]
    for fields in others:
        with pytest.raises(RemoteError) as failed:
            await compare(service, page_token=token, **fields)
        assert (failed.value.code, failed.value.reason) == (
            "INVALID_ARGUMENT",
            "INVALID_PAGE_TOKEN",
        )


@pytest.mark.parametrize(
    ("fields", "fields_at_fault"),
    [
        ({"board": None, "base_date": "2026-01-15"}, ["board"]),
        ({}, ["base"]),
        ({"base_materialization_id": -1}, ["base_materialization_id"]),
        ({"base_date": "20260115"}, ["base_date"]),
        ({"base_date": "2026-01-15", "page_size": 501}, ["page_size"]),
    ],
    ids=str,
)
async def test_a_faulty_request_names_its_fields(
    service: Service, fields: dict[str, Any], fields_at_fault: list[str]
) -> None:
    with pytest.raises(RemoteError) as failed:
        await compare(service, **fields)
    assert (failed.value.code, failed.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert [violation.field for violation in failed.value.violations] == fields_at_fault


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        (PrincipalKind.BACKEND, {"installations": [5]}, "INSTALLATION_NOT_COVERED"),
        (PrincipalKind.SERVICE, {}, "CALLER_NOT_ALLOWED"),
        (PrincipalKind.GATEWAY, {}, "CALLER_NOT_ALLOWED"),
    ],
)
async def test_others_compare_nothing(
    service: Service, kind: PrincipalKind, options: dict[str, Any], reason: str
) -> None:
    channel = service.channel(kind, name=f"some-{kind}", **options)
    stub = leaderboard_pb2_grpc.LeaderboardServiceStub(channel)
    with pytest.raises(RemoteError) as failed:
        await stub.CompareVersions(
            CompareVersionsRequest(
                board=board_message(installation_id=INSTALLATION), base_date="2026-01-15"
            )
        )
    assert (failed.value.code, failed.value.reason) == ("PERMISSION_DENIED", reason)
