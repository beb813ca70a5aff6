"""What is hidden from a user has no name on boards, and no board of its own."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from laurel.leaderboard.v1 import leaderboard_pb2 as pb
from laurel_common.auth.access import Access
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_leaderboard.domain.boards import BoardKey, EntityType, ScopeType, TimePeriod
from tests.rpc.leaderboard.conftest import Service
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    TEAMS,
    BoardOf,
    board_message,
    stream_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPOSITORIES = CONTRIBUTORS._replace(entity_type=EntityType.REPOSITORY)
OF_TEAM = BoardKey(ScopeType.TEAM, 801, EntityType.CONTRIBUTOR, TimePeriod.WEEK)
OF_REPOSITORY = OF_TEAM._replace(scope_type=ScopeType.REPOSITORY, scope_id=901)
ALL = [CONTRIBUTORS, TEAMS, REPOSITORIES, OF_TEAM, OF_REPOSITORY]
ADMIN = Access(is_admin=True)
NEITHER = Access(hidden_repositories=frozenset({901, 902}), hidden_teams=frozenset({801, 803}))
ONE = Access(hidden_repositories=frozenset({901}), hidden_teams=frozenset({803}))
OUTSIDE = Access(readable_repositories=frozenset({901}))


@pytest.fixture
def service(emptied_service: Service) -> Service:
    return emptied_service


async def publish(service: Service, more: int = 0) -> None:
    scores = {
        EntityType.REPOSITORY: {901: 30 + more, 902: 20, 903: 10},
        EntityType.TEAM: {801: 30 + more, 802: 20, 803: 10},
        EntityType.CONTRIBUTOR: {1: 30 + more, 2: 20},
    }
    boards = [BoardOf(scores[key.entity_type], key) for key in ALL]
    await service.publish(*stream_of(*boards, as_of=service.clock.now()))


def page(key: BoardKey, **fields: Any) -> pb.GetLeaderboardRequest:
    return pb.GetLeaderboardRequest(board=board_message(key), **fields)


def ids(entries: Any) -> list[int]:
    for entry in entries:
        nameless = not (entry.entity.login or entry.entity.name or entry.entity.avatar_url)
        assert nameless == (entry.entity.id == 0)
        assert entry.entity.type
    return [entry.entity.id for entry in entries]


@pytest.mark.parametrize(
    ("access", "repositories", "teams"),
    [
        pytest.param(ADMIN, [901, 902, 903], [801, 802, 803], id="all"),
        pytest.param(NEITHER, [0, 0, 903], [0, 802, 0], id="masked"),
        pytest.param(ONE, [0, 902, 903], [801, 802, 0], id="some"),
    ],
)
async def test_a_page_keeps_places_and_points_of_what_is_hidden(
    service: Service, access: Access, repositories: list[int], teams: list[int]
) -> None:
    await publish(service)
    user = service.user(access)
    for _ in range(2):  # from PostgreSQL, from memory
        for key, wanted in ((REPOSITORIES, repositories), (TEAMS, teams), (CONTRIBUTORS, [1, 2])):
            answer = await user.GetLeaderboard(page(key))
            assert ids(answer.entries) == wanted
            assert [entry.score_e4 for entry in answer.entries] == [30, 20, 10][: len(wanted)]
            assert [entry.rank for entry in answer.entries] == [1, 2, 3][: len(wanted)]


async def test_nobody_is_given_the_page_of_one_who_sees_more(service: Service) -> None:
    await publish(service)
    wanted = {ADMIN: [901, 902, 903], ONE: [0, 902, 903], NEITHER: [0, 0, 903]}
    users = [(service.user(access), seen) for access, seen in wanted.items()]
    for _ in range(3):
        for user, seen in [*users, *reversed(users)]:
            assert ids((await user.GetLeaderboard(page(REPOSITORIES))).entries) == seen
    # A rename shows on masked pages as it does on full ones.
    service.profiles.suffix = "-renamed"
    service.clock.advance(timedelta(seconds=61))
    for user, seen in users:
        answer = await user.GetLeaderboard(page(REPOSITORIES))
        assert ids(answer.entries) == seen
        assert answer.entries[2].entity.login == "repository-903-renamed"
    service.profiles.suffix = ""


async def test_what_was_hidden_a_moment_ago_is_hidden_from_the_page_in_memory(
    service: Service,
) -> None:
    await publish(service)
    user = service.user(ADMIN)
    assert ids((await user.GetLeaderboard(page(REPOSITORIES))).entries) == [901, 902, 903]
    for token in service.users.by_token:
        service.users.by_token[token] = NEITHER
    assert ids((await user.GetLeaderboard(page(REPOSITORIES))).entries) == [0, 0, 903]


async def test_a_walk_over_hidden_entries_repeats_and_skips_none(service: Service) -> None:
    await publish(service)
    user, token, seen = service.user(NEITHER), "", []
    while True:
        answer = await user.GetLeaderboard(page(REPOSITORIES, page_size=1, page_token=token))
        seen += [(entry.rank, entry.entity.id) for entry in answer.entries]
        token = answer.next_page_token
        if not token:
            break
    assert seen == [(1, 0), (2, 0), (3, 903)]


async def test_single_entries_neighbours_and_days_keep_hidden_ones_hidden(
    service: Service,
) -> None:
    await publish(service)
    service.clock.advance(timedelta(days=1))
    await service.inner.retire()
    await publish(service, more=9)
    user, board = service.user(NEITHER), board_message(REPOSITORIES)
    found = await user.GetEntry(pb.GetEntryRequest(board=board, entity_id=903, neighbor_count=5))
    assert ids(found.entries_above) == [0, 0]
    for wanted in ({"entity_id": 901}, {"login": "repository-901"}):
        with pytest.raises(RemoteError) as failed:
            await user.GetEntry(pb.GetEntryRequest(board=board, **wanted))
        assert (failed.value.code, failed.value.reason) == ("NOT_FOUND", "ENTITY_NOT_FOUND")
    batch = await user.BatchGetEntries(
        pb.BatchGetEntriesRequest(board=board, entity_ids=[903, 902, 901])
    )
    assert (ids(batch.entries), list(batch.missing_entity_ids)) == ([903], [902, 901])
    history = await user.GetHistory(pb.GetHistoryRequest(board=board, entity_ids=[901, 903]))
    assert {point.entity_id for point in history.points} == {903}
    moved = await user.CompareVersions(
        pb.CompareVersionsRequest(board=board, base_date="2026-01-15")
    )
    assert ids(moved.movers) == [0]
    assert moved.movers[0].score_change_e4 == 9


@pytest.mark.parametrize(
    ("access", "seen"),
    [
        pytest.param(ADMIN, ALL, id="all"),
        pytest.param(NEITHER, [CONTRIBUTORS, TEAMS, REPOSITORIES], id="masked"),
        pytest.param(ONE, [CONTRIBUTORS, TEAMS, REPOSITORIES, OF_TEAM], id="some"),
        pytest.param(OUTSIDE, [OF_REPOSITORY], id="collaborator"),
    ],
)
async def test_a_hidden_scope_has_no_board(
    service: Service, access: Access, seen: list[BoardKey]
) -> None:
    await publish(service)
    user = service.user(access)
    listed, token = [], ""
    while True:
        answer = await user.ListBoards(
            pb.ListBoardsRequest(installation_id=INSTALLATION, page_size=1, page_token=token)
        )
        listed += [(each.board.scope_id, each.board.entity_type) for each in answer.boards]
        token = answer.next_page_token
        if not token:
            break
    assert sorted(listed) == sorted(
        (board_message(key).scope_id, board_message(key).entity_type) for key in seen
    )
    for key in ALL:
        for call in _reads(user, key):
            if key in seen:
                await call()
                continue
            with pytest.raises(RemoteError) as failed:
                await call()
            assert (failed.value.code, failed.value.reason) == ("NOT_FOUND", "BOARD_NOT_FOUND")


def _reads(user: Any, key: BoardKey) -> list[Callable[[], Any]]:
    board = board_message(key)
    entity = {EntityType.CONTRIBUTOR: 2, EntityType.TEAM: 802, EntityType.REPOSITORY: 903}
    id_ = entity[key.entity_type]
    return [
        lambda: user.GetLeaderboard(pb.GetLeaderboardRequest(board=board)),
        lambda: user.GetEntry(pb.GetEntryRequest(board=board, entity_id=id_)),
        lambda: user.BatchGetEntries(pb.BatchGetEntriesRequest(board=board, entity_ids=[id_])),
        lambda: user.GetHistory(pb.GetHistoryRequest(board=board, entity_ids=[id_])),
    ]


async def test_an_installation_of_others_is_not_found(service: Service) -> None:
    await publish(service)
    user = service.user(ADMIN)
    with pytest.raises(RemoteError) as failed:
        await user.GetLeaderboard(
            pb.GetLeaderboardRequest(board=board_message(installation_id=INSTALLATION + 1))
        )
    assert (failed.value.code, failed.value.reason) == ("NOT_FOUND", "INSTALLATION_NOT_FOUND")


async def test_keys_see_everything(service: Service) -> None:
    await publish(service)
    for kind in (PrincipalKind.BACKEND, PrincipalKind.OPERATOR):
        stub = pb_stub(service, kind)
        answer = await stub.GetLeaderboard(page(REPOSITORIES))
        assert ids(answer.entries) == [901, 902, 903]


def pb_stub(service: Service, kind: PrincipalKind) -> Any:
    return type(service.boards)(service.channel(kind, name=f"full-{kind}"))
