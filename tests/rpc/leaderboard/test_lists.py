"""ListBoards and ListMaterializations over the wire."""

from datetime import timedelta
from typing import Any

import pytest

from laurel.common.v1.types_pb2 import SCOPE_TYPE_ORGANIZATION
from laurel.leaderboard.v1 import leaderboard_pb2, materialization_pb2
from laurel.leaderboard.v1.leaderboard_pb2 import ListBoardsRequest
from laurel.leaderboard.v1.materialization_pb2 import (
    RETENTION_STATE_CURRENT,
    RETENTION_STATE_EXPIRED,
    RETENTION_STATE_PURGED,
    RETENTION_STATE_SUPERSEDED,
    ListMaterializationsRequest,
)
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_leaderboard.domain.boards import (
    ENTITIES_OF_SCOPE,
    BoardKey,
    EntityType,
    ScopeType,
    TimePeriod,
)
from tests.rpc.leaderboard.conftest import Service
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    NOON,
    ORGANIZATION,
    PRESET,
    RULES,
    BoardOf,
    board_message,
    stream_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def service(emptied_service: Service) -> Service:
    return emptied_service


SCOPES = {ScopeType.ORGANIZATION: [ORGANIZATION], ScopeType.TEAM: [801, 802]}
BOARDS = [
    BoardOf({}, BoardKey(scope, scope_id, kind, period))
    for scope, ids in SCOPES.items()
    for scope_id in ids
    for kind in EntityType
    if kind in ENTITIES_OF_SCOPE[scope]
    for period in TimePeriod
]
LATER = NOON + timedelta(seconds=1)


async def all_boards(service: Service, page_size: int, **fields: Any) -> list[object]:
    found: list[object] = []
    token = ""
    while True:
        request = ListBoardsRequest(
            installation_id=INSTALLATION, page_size=page_size, page_token=token, **fields
        )
        answer = await service.boards.ListBoards(request)
        assert len(answer.boards) <= page_size
        found += [summary.board for summary in answer.boards]
        token = answer.next_page_token
        if not token:
            return found


@pytest.mark.parametrize("page_size", [1, 7, 42, 1000])
async def test_all_boards_are_listed_in_order_whatever_the_page(
    service: Service, page_size: int
) -> None:
    await service.publish(*stream_of(*reversed(BOARDS)))
    wanted = [board_message(board.key, preset_id=PRESET) for board in BOARDS]
    assert await all_boards(service, page_size) == wanted


async def test_boards_of_one_scope_are_listed_alone(service: Service) -> None:
    await service.publish(*stream_of(*BOARDS))
    assert len(await all_boards(service, 5, scope_type=2)) == 2 * 2 * 6


async def test_a_board_is_listed_with_its_current_version(service: Service) -> None:
    await service.publish(*stream_of(BoardOf({1: 1})))
    await service.publish(*stream_of(BoardOf({1: 1, 2: 2}), as_of=LATER))
    answer = await service.boards.ListBoards(ListBoardsRequest(installation_id=INSTALLATION))
    [board] = answer.boards
    assert (board.version, board.entry_count) == (2, 2)
    assert board.as_of.ToDatetime() == LATER.replace(tzinfo=None)
    assert board.materialization_id > 0


async def test_an_installation_without_boards_lists_none(service: Service) -> None:
    answer = await service.boards.ListBoards(ListBoardsRequest(installation_id=INSTALLATION))
    assert answer == leaderboard_pb2.ListBoardsResponse()


async def test_versions_are_listed_newest_first_with_what_made_them(service: Service) -> None:
    await service.publish(*stream_of(BoardOf({1: 1}), input_mark="first"))
    later = service.clock.advance(timedelta(minutes=1))
    await service.publish(*stream_of(BoardOf({1: 2}), as_of=later, input_mark="second"))
    answer = await service.versions.ListMaterializations(
        ListMaterializationsRequest(installation_id=INSTALLATION)
    )
    new, old = answer.materializations
    assert (new.version, new.retention_state, new.input_mark, new.rules_json) == (
        2,
        RETENTION_STATE_CURRENT,
        "second",
        RULES,
    )
    assert not new.HasField("supersede_time")
    assert (old.version, old.retention_state, old.input_mark) == (
        1,
        RETENTION_STATE_SUPERSEDED,
        "first",
    )
    assert old.supersede_time.ToDatetime() == later.replace(tzinfo=None)
    assert old.expire_time.ToDatetime() == (later + timedelta(hours=24)).replace(tzinfo=None)
    assert new.check_time == new.compute_time


async def test_versions_are_paged_and_filtered(service: Service) -> None:
    week = CONTRIBUTORS._replace(time_period=TimePeriod.WEEK)
    for n in range(4):
        boards = (BoardOf({1: n}), BoardOf({1: n}, week))
        await service.publish(*stream_of(*boards, as_of=NOON + timedelta(seconds=n)))

    async def ids(**fields: Any) -> list[int]:
        token, found = "", list[int]()
        while True:
            request = ListMaterializationsRequest(
                installation_id=INSTALLATION,
                page_size=3,
                page_token=token,
                **fields,
            )
            answer = await service.versions.ListMaterializations(request)
            found += [m.id for m in answer.materializations]
            token = answer.next_page_token
            if not token:
                return found

    everything = await ids()
    assert everything == sorted(everything, reverse=True)
    assert len(everything) == 8
    assert len(await ids(board=board_message(week))) == 4
    assert len(await ids(current_only=True)) == 2
    assert len(await ids(board=board_message(week), current_only=True)) == 1


async def test_a_versions_life_is_told_to_its_end(service: Service) -> None:
    async def states() -> list[int]:
        answer = await service.versions.ListMaterializations(
            ListMaterializationsRequest(installation_id=INSTALLATION)
        )
        return [m.retention_state for m in answer.materializations]

    await service.publish(*stream_of(BoardOf({1: 1})))
    await service.publish(*stream_of(BoardOf({1: 2}), as_of=LATER))
    await service.inner.retire()
    assert await states() == [RETENTION_STATE_CURRENT, RETENTION_STATE_SUPERSEDED]
    service.clock.advance(timedelta(hours=24))
    assert await service.inner.retire() == (1, 0)
    assert await states() == [RETENTION_STATE_CURRENT, RETENTION_STATE_EXPIRED]
    service.clock.advance(timedelta(minutes=11))
    assert await service.inner.retire() == (0, 1)
    assert await states() == [RETENTION_STATE_CURRENT, RETENTION_STATE_PURGED]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"installation_id": 0}, "installation_id"),
        ({"page_size": 1001}, "page_size"),
        ({"scope_type": 9}, "scope_type"),
    ],
)
async def test_a_faulty_list_of_boards_names_its_field(
    service: Service, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(RemoteError) as failed:
        await service.boards.ListBoards(
            ListBoardsRequest(**({"installation_id": INSTALLATION} | fields))
        )
    assert (failed.value.code, failed.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert [violation.field for violation in failed.value.violations] == [field]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"installation_id": 0}, "installation_id"),
        ({"page_size": 1001}, "page_size"),
        ({"board": board_message(installation_id=5)}, "board.installation_id"),
        ({"board": board_message(time_period=0)}, "board.time_period"),
    ],
)
async def test_a_faulty_list_of_versions_names_its_field(
    service: Service, fields: dict[str, Any], field: str
) -> None:
    values = {"installation_id": INSTALLATION} | fields
    with pytest.raises(RemoteError) as failed:
        await service.versions.ListMaterializations(ListMaterializationsRequest(**values))
    assert (failed.value.code, failed.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert [violation.field for violation in failed.value.violations] == [field]


async def test_tokens_of_another_list_are_refused(service: Service) -> None:
    await service.publish(*stream_of(*BOARDS))
    boards = await service.boards.ListBoards(
        ListBoardsRequest(installation_id=INSTALLATION, page_size=1)
    )
    versions = await service.versions.ListMaterializations(
        ListMaterializationsRequest(installation_id=INSTALLATION, page_size=1)
    )
    refused: list[Any] = [
        service.boards.ListBoards(
            ListBoardsRequest(
                installation_id=INSTALLATION,
                page_token=boards.next_page_token,
                scope_type=SCOPE_TYPE_ORGANIZATION,
            )
        ),
        service.boards.ListBoards(
            ListBoardsRequest(installation_id=5, page_token=boards.next_page_token)
        ),
        service.boards.ListBoards(
            ListBoardsRequest(installation_id=INSTALLATION, page_token=versions.next_page_token)
        ),
        service.versions.ListMaterializations(
            ListMaterializationsRequest(
                installation_id=INSTALLATION,
                page_token=versions.next_page_token,
                current_only=True,
            )
        ),
    ]
    for call in refused:
        with pytest.raises(RemoteError) as failed:
            await call
        assert (failed.value.code, failed.value.reason) == (
            "INVALID_ARGUMENT",
            "INVALID_PAGE_TOKEN",
        )


async def test_an_installation_that_the_key_does_not_cover_is_refused(service: Service) -> None:
    channel = service.channel(PrincipalKind.BACKEND, name="narrow", installations=[5])
    calls: list[Any] = [
        type(service.boards)(channel).ListBoards(ListBoardsRequest(installation_id=INSTALLATION)),
        type(service.versions)(channel).ListMaterializations(
            ListMaterializationsRequest(installation_id=INSTALLATION)
        ),
    ]
    for call in calls:
        with pytest.raises(RemoteError) as failed:
            await call
        assert (failed.value.code, failed.value.reason) == (
            "PERMISSION_DENIED",
            "INSTALLATION_NOT_COVERED",
        )


@pytest.mark.parametrize(
    ("kind", "name"), [(PrincipalKind.GATEWAY, "gate"), (PrincipalKind.SERVICE, "ingest")]
)
async def test_other_callers_are_refused(service: Service, kind: PrincipalKind, name: str) -> None:
    channel = service.channel(kind, name=name)
    calls: list[Any] = [
        type(service.boards)(channel).ListBoards(ListBoardsRequest(installation_id=INSTALLATION)),
        type(service.versions)(channel).ListMaterializations(
            ListMaterializationsRequest(installation_id=INSTALLATION)
        ),
    ]
    for call in calls:
        with pytest.raises(RemoteError) as failed:
            await call
        assert (failed.value.code, failed.value.reason) == (
            "PERMISSION_DENIED",
            "CALLER_NOT_ALLOWED",
        )


async def test_scoring_lists_versions(service: Service) -> None:
    answer = await service.scoring.ListMaterializations(
        ListMaterializationsRequest(installation_id=INSTALLATION)
    )
    assert answer == materialization_pb2.ListMaterializationsResponse()
