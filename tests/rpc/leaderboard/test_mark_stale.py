"""MarkStale over the wire, and what settles a mark."""

from datetime import timedelta
from typing import Any

import pytest

from laurel.leaderboard.v1 import leaderboard_pb2, materialization_pb2_grpc
from laurel.leaderboard.v1.leaderboard_pb2 import FRESHNESS_FRESH, FRESHNESS_STALE
from laurel.leaderboard.v1.materialization_pb2 import (
    STALE_CAUSE_BOTS,
    STALE_CAUSE_SIGNALS,
    MarkStaleRequest,
    StaleCause,
)
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_leaderboard.domain.boards import TimePeriod
from tests.rpc.leaderboard.conftest import Service
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    PRESET,
    BoardOf,
    board_message,
    stream_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def service(emptied_service: Service) -> Service:
    return emptied_service


WEEK = CONTRIBUTORS._replace(time_period=TimePeriod.WEEK)
SECOND = timedelta(seconds=1)


async def mark(service: Service, *boards: Any, **fields: Any) -> int:
    values: dict[str, Any] = {
        "installation_id": INSTALLATION,
        "boards": boards,
        "cause": STALE_CAUSE_SIGNALS,
    }
    answer = await service.scoring.MarkStale(MarkStaleRequest(**values | fields))
    return int(answer.mark)


async def publish(service: Service, score: int = 1, **header: Any) -> None:
    """Publishes both boards a second later, changed unless `score` is the same."""
    boards = (BoardOf({1: score}), BoardOf({1: score}, WEEK))
    await service.publish(*stream_of(*boards, as_of=service.clock.advance(SECOND), **header))


async def stale(service: Service) -> list[bool]:
    """Whether the board of all time and that of the week are stale."""
    found = []
    for key in (CONTRIBUTORS, WEEK):
        request = leaderboard_pb2.GetLeaderboardRequest(board=board_message(key))
        freshness = (await service.boards.GetLeaderboard(request)).freshness
        assert freshness in {FRESHNESS_FRESH, FRESHNESS_STALE}
        found.append(freshness == FRESHNESS_STALE)
    return found


async def test_all_boards_are_stale_from_the_mark_on(service: Service) -> None:
    await publish(service)
    assert await stale(service) == [False, False]
    await mark(service)
    assert await stale(service) == [True, True]


async def test_single_boards_are_marked_alone(service: Service) -> None:
    await publish(service)
    await mark(service, board_message(WEEK))
    assert await stale(service) == [False, True]


@pytest.mark.parametrize(
    "board",
    [board_message(), board_message(scope_id=0), board_message(preset_id=PRESET)],
    ids=["served", "own account", "by preset"],
)
async def test_a_board_is_marked_however_it_is_named(service: Service, board: Any) -> None:
    await publish(service)
    await mark(service, board, board)
    assert await stale(service) == [True, False]


@pytest.mark.parametrize("score", [1, 2], ids=["unchanged", "changed"])
async def test_a_publish_settles_the_mark_that_it_names(service: Service, score: int) -> None:
    await publish(service)
    number = await mark(service)
    await publish(service, score, stale_mark=number)
    # An unchanged board's check is seen when its pointer is confirmed again.
    service.clock.advance(6 * SECOND)
    assert await stale(service) == [False, False]


async def test_a_mark_that_came_while_the_inputs_were_read_stays(service: Service) -> None:
    await publish(service)
    first = await mark(service)
    second = await mark(service, board_message(WEEK), cause=STALE_CAUSE_BOTS)
    assert second > first
    await publish(service, 2, stale_mark=first)
    assert await stale(service) == [False, True]
    service.clock.advance(6 * SECOND)
    assert await stale(service) == [False, True]
    await publish(service, 3, stale_mark=second)
    assert await stale(service) == [False, False]


async def test_a_publish_that_names_no_mark_settles_none_and_unsettles_none(
    service: Service,
) -> None:
    await publish(service)
    number = await mark(service)
    await publish(service, 2)
    assert await stale(service) == [True, True]
    await publish(service, 3, stale_mark=number)
    await publish(service, 4)
    assert await stale(service) == [False, False]


async def test_a_board_that_was_marked_before_it_was_scored_is_stale(service: Service) -> None:
    await service.publish(*stream_of(BoardOf({1: 1})))
    number = await mark(service, board_message(WEEK))
    await publish(service, 2, stale_mark=number - 1)
    assert await stale(service) == [False, True]


async def test_a_mark_outlives_what_redis_knows(service: Service) -> None:
    await publish(service)
    await mark(service)
    service.clock.advance(timedelta(minutes=30))
    assert await stale(service) == [True, True]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"installation_id": 0}, "installation_id"),
        ({"cause": 0}, "cause"),
        ({"cause": 9}, "cause"),
        (
            {"boards": [board_message(), board_message(installation_id=5)]},
            "boards[1].installation_id",
        ),
        ({"boards": [board_message(time_period=0)]}, "boards[0].time_period"),
    ],
    ids=str,
)
async def test_a_faulty_request_names_its_field(
    service: Service, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(RemoteError) as failed:
        await mark(service, **fields)
    assert (failed.value.code, failed.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert [violation.field for violation in failed.value.violations] == [field]


async def test_marks_are_for_installations_that_are_there(service: Service) -> None:
    with pytest.raises(RemoteError) as failed:
        await mark(service, installation_id=5)
    assert (failed.value.code, failed.value.reason) == (
        "FAILED_PRECONDITION",
        "REFERENCE_MISSING",
    )


@pytest.mark.parametrize("cause", list(StaleCause.values())[1:])
async def test_every_cause_is_taken(service: Service, cause: Any) -> None:
    assert await mark(service, cause=cause) == 1
    assert await mark(service, cause=cause) == 2


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (PrincipalKind.SERVICE, "ingest"),
        (PrincipalKind.BACKEND, "backend"),
        (PrincipalKind.OPERATOR, "operator"),
        (PrincipalKind.GATEWAY, "gateway"),
    ],
)
async def test_nobody_but_scoring_marks_boards(
    service: Service, kind: PrincipalKind, name: str
) -> None:
    channel = service.channel(kind, name=name)
    stub = materialization_pb2_grpc.MaterializationServiceStub(channel)
    with pytest.raises(RemoteError) as failed:
        await stub.MarkStale(
            MarkStaleRequest(installation_id=INSTALLATION, cause=STALE_CAUSE_SIGNALS)
        )
    assert (failed.value.code, failed.value.reason) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")
