"""MaterializationService.PublishMaterialization over the wire."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from laurel.leaderboard.v1.leaderboard_pb2 import GetLeaderboardRequest
from laurel.leaderboard.v1.materialization_pb2 import (
    ListMaterializationsRequest,
    PublishMaterializationResponse,
)
from laurel.leaderboard.v1.materialization_pb2_grpc import MaterializationServiceStub
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_leaderboard.domain.boards import BoardKey, EntityType, ScopeType, TimePeriod
from tests.rpc.leaderboard.conftest import Service
from tests.support.leaderboard_builders import (
    COMMIT,
    CONTRIBUTORS,
    INSTALLATION,
    NOON,
    ORGANIZATION,
    TEAMS,
    BoardOf,
    Request,
    batch_of,
    board_message,
    boards_request,
    header_request,
    ipc,
    rows_request,
    stream_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def service(emptied_service: Service) -> Service:
    return emptied_service


BOARD = BoardOf({1: 30_000, 2: 20_000})
WEEK = BoardOf({1: 10_000}, CONTRIBUTORS._replace(time_period=TimePeriod.WEEK))
SECOND = timedelta(seconds=1)


async def versions(service: Service) -> list[tuple[int, int]]:
    answer = await service.versions.ListMaterializations(
        ListMaterializationsRequest(installation_id=INSTALLATION)
    )
    return [(m.board.time_period, m.version) for m in answer.materializations]


async def refused(service: Service, *requests: Request) -> RemoteError:
    with pytest.raises(RemoteError) as failed:
        await service.publish(*requests)
    return failed.value


async def test_boards_are_published_and_counted(service: Service) -> None:
    assert await service.publish(*stream_of(BOARD, WEEK)) == PublishMaterializationResponse(
        published_count=2, unchanged_count=0
    )


async def test_an_equal_board_is_unchanged_and_its_neighbour_is_not(service: Service) -> None:
    await service.publish(*stream_of(BOARD, WEEK))
    changed = BoardOf({1: 11_000, 3: 10_000}, WEEK.key)
    assert await service.publish(
        *stream_of(BOARD, changed, as_of=NOON + SECOND)
    ) == PublishMaterializationResponse(published_count=1, unchanged_count=1)
    assert sorted(await versions(service)) == [(2, 1), (2, 2), (6, 1)]
    answer = await service.boards.GetLeaderboard(
        GetLeaderboardRequest(board=board_message(WEEK.key))
    )
    assert [(e.entity.id, e.score_e4) for e in answer.entries] == [(1, 11_000), (3, 10_000)]


async def test_groups_are_transactions_of_their_own(service: Service) -> None:
    broken = [boards_request(WEEK), rows_request(WEEK)]
    first = [header_request(), boards_request(BOARD), rows_request(BOARD), COMMIT]
    error = await refused(service, *first, *broken)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "STREAM_OUT_OF_ORDER")
    assert await versions(service) == [(6, 1)]


async def test_a_stream_that_breaks_off_leaves_nothing(service: Service) -> None:
    sent = asyncio.Event()

    async def requests() -> AsyncIterator[Request]:
        yield header_request()
        yield boards_request(BOARD)
        yield rows_request(BOARD)
        sent.set()
        await asyncio.Event().wait()

    call = service.scoring.PublishMaterialization(requests())
    await sent.wait()
    call.cancel()
    assert await versions(service) == []
    await service.publish(*stream_of(BOARD))
    assert await versions(service) == [(6, 1)]


async def test_the_preset_is_served_once_its_stream_has_ended_well(service: Service) -> None:
    await service.publish(*stream_of(BOARD, serve_preset=False))
    with pytest.raises(RemoteError, match="BOARD_NOT_FOUND"):
        await service.boards.GetLeaderboard(GetLeaderboardRequest(board=board_message()))
    named = GetLeaderboardRequest(board=board_message(preset_id=7))
    assert (await service.boards.GetLeaderboard(named)).version == 1
    await service.publish(*stream_of(BOARD, as_of=NOON + SECOND))
    served = GetLeaderboardRequest(board=board_message())
    assert (await service.boards.GetLeaderboard(served)).preset_id == 7


@pytest.mark.parametrize("later", [timedelta(0), -SECOND], ids=["as old", "older"])
async def test_what_is_not_newer_is_refused(service: Service, later: timedelta) -> None:
    await service.publish(*stream_of(BOARD))
    error = await refused(service, *stream_of(WEEK, BoardOf({1: 1}), as_of=NOON + later))
    assert (error.code, error.reason) == ("ABORTED", "NEWER_VERSION_EXISTS")
    assert await versions(service) == [(6, 1)]


async def test_a_check_counts_as_newer_too(service: Service) -> None:
    await service.publish(*stream_of(BOARD))
    await service.publish(*stream_of(BOARD, as_of=NOON + 2 * SECOND))
    error = await refused(service, *stream_of(BoardOf({1: 1}), as_of=NOON + SECOND))
    assert error.reason == "NEWER_VERSION_EXISTS"


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [COMMIT],
        [boards_request(BOARD)],
        [header_request(), header_request()],
        [header_request(), rows_request(BOARD)],
        [header_request(), COMMIT],
        [header_request(), boards_request(BOARD), boards_request(WEEK)],
        [header_request(), boards_request(BOARD)],
        [*stream_of(BOARD), rows_request(BOARD)],
    ],
    ids=[
        "nothing",
        "commit first",
        "no header",
        "two headers",
        "rows of no group",
        "commit of no group",
        "a group within a group",
        "no commit",
        "rows after the commit",
    ],
)
async def test_messages_out_of_order_are_refused(service: Service, requests: list[Request]) -> None:
    error = await refused(service, *requests)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "STREAM_OUT_OF_ORDER")


BAD_ROWS = {
    "not Arrow": b"rows",
    "cut off": ipc(batch_of(BOARD))[:-40],
    "other columns": ipc(batch_of(BOARD).select(["board", "rank"])),
    "a rank that does not follow": ipc(batch_of(BOARD, rank=[1, 1])),
    "a wrong order": ipc(batch_of(BOARD, entity_id=[1, 1])),
    "no such board": ipc(batch_of(BOARD, board=[0, 1])),
    "a score that is no sum": ipc(batch_of(BOARD, score_e4=[30_001, 20_000])),
    "members of a contributor": ipc(batch_of(BOARD, member_count=[1, None])),
    "too few rows": ipc(batch_of(BOARD).slice(0, 1)),
    "too many rows": ipc(batch_of(BOARD), batch_of(BOARD)),
}


@pytest.mark.parametrize("data", BAD_ROWS.values(), ids=BAD_ROWS.keys())
async def test_rows_that_are_not_what_they_say_are_refused(service: Service, data: bytes) -> None:
    error = await refused(
        service, header_request(), boards_request(BOARD), Request(rows=data), COMMIT
    )
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "MALFORMED_BATCH")
    assert error.violations
    assert await versions(service) == []


REPOSITORIES_OF_REPOSITORY = BoardKey(
    ScopeType.REPOSITORY, 901, EntityType.REPOSITORY, TimePeriod.WEEK
)


@pytest.mark.parametrize(
    ("requests", "field"),
    [
        ([header_request(installation_id=0)], "header.installation_id"),
        ([header_request(preset_id=0)], "header.preset_id"),
        ([header_request(organization_id=0)], "header.organization_id"),
        ([header_request(rules_json="")], "header.rules_json"),
        ([header_request(rules_json="[]")], "header.rules_json"),
        ([header_request(rules_json="{nonsense")], "header.rules_json"),
        ([header_request(rules_json='{"a": NaN}')], "header.rules_json"),
        ([header_request(input_mark="x" * 257)], "header.input_mark"),
        ([Request()], "message"),
        ([header_request(), boards_request()], "boards.boards"),
        ([header_request(), boards_request(BOARD, BOARD)], "boards.boards[1]"),
        (
            [header_request(), boards_request(BoardOf({}, REPOSITORIES_OF_REPOSITORY))],
            "boards.boards[0].entity_type",
        ),
        (
            [header_request(), boards_request(BoardOf({}, CONTRIBUTORS._replace(scope_id=1)))],
            "boards.boards[0].scope_id",
        ),
    ],
)
async def test_a_faulty_message_names_its_field(
    service: Service, requests: list[Request], field: str
) -> None:
    error = await refused(service, *requests)
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert field in [violation.field for violation in error.violations]


@pytest.mark.parametrize(
    "requests",
    [
        stream_of(BOARD, preset_id=99),
        stream_of(BOARD, installation_id=99),
        stream_of(BoardOf({}, CONTRIBUTORS._replace(scope_id=99)), organization_id=99),
        stream_of(BoardOf({555: 1})),
        stream_of(BoardOf({555: 1}, TEAMS)),
        stream_of(BoardOf({}, BoardKey(ScopeType.TEAM, 5, EntityType.CONTRIBUTOR, WEEK.key[3]))),
    ],
    ids=["preset", "installation", "organization", "user", "team", "team of a scope"],
)
async def test_what_is_not_there_is_named_and_nothing_is_written(
    service: Service, requests: list[Request]
) -> None:
    error = await refused(service, *requests)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "REFERENCE_MISSING")
    assert await versions(service) == []


async def test_a_preset_stays_its_installations(service: Service) -> None:
    await service.publish(*stream_of(BOARD))
    for changes, field in (
        ({"installation_id": INSTALLATION + 1}, "header.preset_id"),
        ({"organization_id": ORGANIZATION + 1}, "header.organization_id"),
    ):
        board = BoardOf({}, BoardKey(ScopeType.TEAM, 801, EntityType.CONTRIBUTOR, WEEK.key[3]))
        error = await refused(service, *stream_of(board, as_of=NOON + SECOND, **changes))
        assert [violation.field for violation in error.violations] == [field]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (PrincipalKind.OPERATOR, "ops"),
        (PrincipalKind.BACKEND, "shop"),
        (PrincipalKind.GATEWAY, "gate"),
        (PrincipalKind.SERVICE, "ingest"),
    ],
)
async def test_scoring_alone_publishes(service: Service, kind: PrincipalKind, name: str) -> None:
    stub = MaterializationServiceStub(service.channel(kind, name=name))
    with pytest.raises(RemoteError) as failed:
        await stub.PublishMaterialization(iter(stream_of(BOARD)))
    assert (failed.value.code, failed.value.reason) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")


async def test_a_stranger_is_unauthenticated(service: Service) -> None:
    stub = MaterializationServiceStub(service.server.channel_with(_NoToken()))
    with pytest.raises(RemoteError) as failed:
        await stub.ListMaterializations(ListMaterializationsRequest(installation_id=INSTALLATION))
    assert (failed.value.code, failed.value.reason) == ("UNAUTHENTICATED", "UNAUTHENTICATED")


class _NoToken:
    def token(self, audience: str) -> str:
        return f"not-a-token-for-{audience}"
