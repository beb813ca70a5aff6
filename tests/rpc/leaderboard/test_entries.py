"""GetEntry and BatchGetEntries over the wire."""

from datetime import timedelta
from typing import Any

import pytest

from laurel.leaderboard.v1 import leaderboard_pb2, leaderboard_pb2_grpc
from laurel.leaderboard.v1.leaderboard_pb2 import (
    FRESHNESS_FRESH,
    FRESHNESS_STALE,
    BatchGetEntriesRequest,
    GetEntryRequest,
)
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from tests.rpc.leaderboard.conftest import Service
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    NOON,
    PRESET,
    TEAMS,
    BoardOf,
    board_message,
    stream_of,
)

# By rank: 20, 19, … in pairs that tie.
SCORES = {n: 1_000 * (n // 2) for n in range(1, 21)}
ORDER = sorted(SCORES, key=lambda n: (-SCORES[n], n))


async def entry(service: Service, **fields: Any) -> leaderboard_pb2.GetEntryResponse:
    values: dict[str, Any] = {"board": board_message()} | fields
    return await service.boards.GetEntry(GetEntryRequest(**values))


async def batch(service: Service, **fields: Any) -> leaderboard_pb2.BatchGetEntriesResponse:
    values: dict[str, Any] = {"board": board_message(), "entity_ids": [1]} | fields
    return await service.boards.BatchGetEntries(BatchGetEntriesRequest(**values))


def ids(entries: Any) -> list[int]:
    return [each.entity.id for each in entries]


async def test_an_entry_is_as_its_page_shows_it(service: Service) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    page = await service.boards.GetLeaderboard(
        leaderboard_pb2.GetLeaderboardRequest(board=board_message())
    )
    for shown in page.entries:
        answer = await entry(service, entity_id=shown.entity.id)
        assert answer.entry == shown
    version = answer.version
    assert (version.materialization_id, version.version) == (page.materialization_id, 1)
    assert (version.entry_count, version.preset_id, version.signal_count) == (20, PRESET, 3)
    assert (version.as_of, version.compute_time) == (page.as_of, page.compute_time)
    assert version.freshness == FRESHNESS_FRESH
    assert (list(answer.entries_above), list(answer.entries_below)) == ([], [])


@pytest.mark.parametrize("place", [0, 1, 9, 10, 18, 19])
@pytest.mark.parametrize("count", [1, 3, 25])
async def test_neighbours_stand_next_to_it_on_both_sides(
    service: Service, place: int, count: int
) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    answer = await entry(service, entity_id=ORDER[place], neighbor_count=count)
    assert ids(answer.entries_above) == ORDER[max(0, place - count) : place]
    assert answer.entry.entity.id == ORDER[place]
    assert ids(answer.entries_below) == ORDER[place + 1 : place + 1 + count]


async def test_an_entry_is_found_by_its_login(service: Service) -> None:
    await service.publish(*stream_of(BoardOf(SCORES), BoardOf({802: 5}, TEAMS)))
    assert (await entry(service, login="Contributor-7")).entry.entity.id == 7
    answer = await entry(service, board=board_message(TEAMS), login="team-802")
    assert (answer.entry.entity.id, answer.entry.member_count) == (802, 4)


async def test_an_entry_of_an_unchecked_board_is_stale(service: Service) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    service.clock.advance(timedelta(days=2))
    assert (await entry(service, entity_id=1)).version.freshness == FRESHNESS_STALE


@pytest.mark.parametrize(
    "fields", [{"entity_id": 99}, {"login": "contributor-99"}, {"login": "nobody"}], ids=str
)
async def test_who_is_not_on_the_board_is_not_found(
    service: Service, fields: dict[str, Any]
) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    with pytest.raises(RemoteError) as failed:
        await entry(service, **fields)
    assert (failed.value.code, failed.value.reason) == ("NOT_FOUND", "ENTITY_NOT_FOUND")


async def test_without_identity_entries_are_found_by_id_alone(service: Service) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    service.profiles.away = True
    answer = await entry(service, entity_id=7)
    assert (answer.entry.entity.id, answer.entry.entity.login) == (7, "")
    with pytest.raises(RemoteError) as failed:
        await entry(service, login="contributor-7")
    assert (failed.value.code, failed.value.reason) == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")


async def test_a_batch_comes_by_rank_and_tells_who_is_missing(service: Service) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    answer = await batch(service, entity_ids=[3, 99, 20, 2, 88])
    assert ids(answer.entries) == [20, 2, 3]
    assert [e.rank for e in answer.entries] == [1, 18, 18]
    assert list(answer.missing_entity_ids) == [99, 88]
    assert (answer.version.version, answer.version.entry_count) == (1, 20)


async def test_entries_are_of_the_version_that_is_current(service: Service) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    await service.publish(*stream_of(BoardOf({1: 5, 2: 4}), as_of=NOON + timedelta(seconds=1)))
    answer = await entry(service, entity_id=1, neighbor_count=5)
    assert (answer.version.version, ids(answer.entries_below)) == (2, [2])
    assert list((await batch(service, entity_ids=[3])).missing_entity_ids) == [3]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"entity_id": 1, "neighbor_count": 26}, "neighbor_count"),
        ({"entity_id": 1, "neighbor_count": -1}, "neighbor_count"),
        ({"entity_id": 0}, "entity_id"),
        ({"login": ""}, "login"),
        ({"login": "a\x00"}, "login"),
        ({}, "entity"),
        ({"board": None, "entity_id": 1}, "board"),
        ({"board": board_message(installation_id=0), "entity_id": 1}, "board.installation_id"),
    ],
    ids=str,
)
async def test_a_faulty_request_for_an_entry_names_its_field(
    service: Service, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(RemoteError) as failed:
        await entry(service, **fields)
    assert (failed.value.code, failed.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert [violation.field for violation in failed.value.violations] == [field]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"entity_ids": []}, "entity_ids"),
        ({"entity_ids": range(1, 502)}, "entity_ids"),
        ({"entity_ids": [1, 1]}, "entity_ids"),
        ({"board": None}, "board"),
    ],
    ids=["nobody", "too many", "twice", "no board"],
)
async def test_a_faulty_batch_names_its_field(
    service: Service, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(RemoteError) as failed:
        await batch(service, **fields)
    assert (failed.value.code, failed.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert [violation.field for violation in failed.value.violations] == [field]


@pytest.mark.parametrize(
    "board",
    [
        board_message(),
        board_message(preset_id=PRESET + 1),
        board_message(installation_id=INSTALLATION + 1),
        board_message(CONTRIBUTORS._replace(scope_id=5)),
    ],
    ids=["never scored", "no such preset", "another installation", "another account"],
)
async def test_entries_of_no_board_are_not_found(service: Service, board: Any) -> None:
    """A board of another kind is scored meanwhile."""
    await service.publish(*stream_of(BoardOf({801: 1}, TEAMS)))
    for call in (entry(service, board=board, entity_id=1), batch(service, board=board)):
        with pytest.raises(RemoteError) as failed:
            await call
        assert (failed.value.code, failed.value.reason) == ("NOT_FOUND", "BOARD_NOT_FOUND")


def calls(stub: leaderboard_pb2_grpc.LeaderboardServiceStub) -> list[Any]:
    return [
        stub.GetEntry(GetEntryRequest(board=board_message(), entity_id=1)),
        stub.BatchGetEntries(BatchGetEntriesRequest(board=board_message(), entity_ids=[1])),
    ]


async def test_a_key_that_does_not_cover_the_installation_reads_no_entries(
    service: Service,
) -> None:
    channel = service.channel(PrincipalKind.BACKEND, name="narrow", installations=[5])
    for call in calls(leaderboard_pb2_grpc.LeaderboardServiceStub(channel)):
        with pytest.raises(RemoteError) as failed:
            await call
        assert failed.value.reason == "INSTALLATION_NOT_COVERED"
        assert failed.value.code == "PERMISSION_DENIED"


@pytest.mark.parametrize("kind", [PrincipalKind.SERVICE, PrincipalKind.GATEWAY])
async def test_other_kinds_of_caller_read_no_entries(service: Service, kind: PrincipalKind) -> None:
    channel = service.channel(kind, name=f"some-{kind}")
    for call in calls(leaderboard_pb2_grpc.LeaderboardServiceStub(channel)):
        with pytest.raises(RemoteError) as failed:
            await call
        assert failed.value.reason == "CALLER_NOT_ALLOWED"
        assert failed.value.code == "PERMISSION_DENIED"


async def test_operators_read_entries(service: Service) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    channel = service.channel(PrincipalKind.OPERATOR)
    for call in calls(leaderboard_pb2_grpc.LeaderboardServiceStub(channel)):
        assert (await call).version.version == 1
