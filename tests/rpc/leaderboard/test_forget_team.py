"""ForgetTeam over the wire."""

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from laurel.leaderboard.v1 import leaderboard_pb2 as pb
from laurel.leaderboard.v1 import materialization_pb2_grpc
from laurel.leaderboard.v1.materialization_pb2 import (
    ForgetTeamRequest,
    ListMaterializationsRequest,
)
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_leaderboard.domain.boards import BoardKey, EntityType, ScopeType, TimePeriod
from tests.rpc.leaderboard.conftest import Service
from tests.support.database import Database
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    TEAMS,
    BoardOf,
    board_message,
    stream_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
OF_TEAM = BoardKey(ScopeType.TEAM, 801, EntityType.CONTRIBUTOR, TimePeriod.ALL_TIME)
OF_OTHER = OF_TEAM._replace(scope_id=802)
OF_REPOSITORY = OF_TEAM._replace(
    scope_type=ScopeType.REPOSITORY, scope_id=901, entity_type=EntityType.TEAM
)


@pytest.fixture
def service(emptied_service: Service) -> Service:
    return emptied_service


async def publish(service: Service, more: int = 0) -> None:
    teams = {801: 30 + more, 802: 20, 803: 10}
    boards = [
        BoardOf({1: 5 + more}, CONTRIBUTORS),
        BoardOf(teams, TEAMS),
        BoardOf({1: 7 + more}, OF_TEAM),
        BoardOf({1: 7 + more}, OF_OTHER),
        BoardOf({801: 3 + more}, OF_REPOSITORY),
    ]
    as_of = service.clock.advance(timedelta(minutes=1))
    await service.publish(*stream_of(*boards, as_of=as_of))


def forget(team_id: int = 801) -> ForgetTeamRequest:
    return ForgetTeamRequest(installation_id=INSTALLATION, team_id=team_id)


async def page(service: Service, key: BoardKey, **fields: Any) -> pb.GetLeaderboardResponse:
    request = pb.GetLeaderboardRequest(board=board_message(key), **fields)
    answer: pb.GetLeaderboardResponse = await service.boards.GetLeaderboard(request)
    return answer


async def test_a_forgotten_team_has_no_board_no_place_and_no_day(
    service: Service, identity: Any, module_database: Database
) -> None:
    await publish(service)
    service.clock.advance(timedelta(days=1))
    await service.inner.retire()
    await publish(service, more=1)
    for key in (TEAMS, OF_TEAM, OF_REPOSITORY):
        await page(service, key)
    done = await identity.ForgetTeam(forget())
    assert (done.forgotten_version_count, done.changed_version_count) == (2, 4)
    with pytest.raises(RemoteError) as failed:
        await page(service, OF_TEAM)
    assert failed.value.reason == "BOARD_NOT_FOUND"
    service.clock.advance(timedelta(minutes=2))
    await service.redis_emptied()
    teams = await page(service, TEAMS)
    assert [entry.entity.id for entry in teams.entries] == [802, 803]
    assert (teams.total_size, teams.freshness) == (2, pb.FRESHNESS_STALE)
    assert (await page(service, OF_REPOSITORY)).total_size == 0
    assert (await page(service, OF_OTHER)).total_size == 1
    days = pb.GetHistoryRequest(board=board_message(TEAMS), entity_ids=[801, 802])
    assert {p.entity_id for p in (await service.boards.GetHistory(days)).points} == {802}
    compared = await service.boards.CompareVersions(
        pb.CompareVersionsRequest(board=board_message(TEAMS), base_date="2026-01-15")
    )
    assert (list(compared.movers), compared.base_day.entry_count) == ([], 2)
    # Nothing refers to it any more.
    with module_database.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute("DELETE FROM teams WHERE id = 801")


async def test_forgetting_again_does_nothing(service: Service, identity: Any) -> None:
    await publish(service)
    await identity.ForgetTeam(forget())
    listed = ListMaterializationsRequest(installation_id=INSTALLATION)
    before = await service.versions.ListMaterializations(listed)
    for team_id in (801, 4711):
        done = await identity.ForgetTeam(forget(team_id))
        assert (done.forgotten_version_count, done.changed_version_count) == (0, 0)
    assert await service.versions.ListMaterializations(listed) == before


async def test_the_next_result_is_published_also_where_it_equals_the_one_before(
    service: Service, identity: Any
) -> None:
    await publish(service)
    version = (await page(service, TEAMS)).version
    await identity.ForgetTeam(forget())
    await publish(service)
    service.clock.advance(timedelta(seconds=2))
    answer = await page(service, TEAMS)
    assert (answer.version, len(answer.entries)) == (version + 1, 3)


async def test_publishers_and_forgetting_take_turns(
    service: Service, identity: Any, module_database: Database
) -> None:
    await publish(service)
    for number in range(1, 6):
        await asyncio.gather(
            publish(service, number),
            identity.ForgetTeam(forget()),
            publish(service, 10 + number),
            return_exceptions=True,
        )
    await identity.ForgetTeam(forget())
    with module_database.connect() as connection:
        counts = connection.execute(
            "SELECT m.row_count, count(s.id) FROM leaderboard_materializations m"
            " LEFT JOIN computed_scores s ON s.materialization_id = m.id GROUP BY m.id"
        ).fetchall()
    assert counts
    assert all(said == there for said, there in counts)


async def test_boards_of_the_installation_before_forget_it_too(
    service: Service, identity: Any
) -> None:
    """The App was just installed: its installation has adopted nothing yet, and is not known."""
    await publish(service)
    done = await identity.ForgetTeam(ForgetTeamRequest(installation_id=404, team_id=801))
    assert done.changed_version_count == 2
    answer = await page(service, TEAMS)
    assert [each.entity.id for each in answer.entries] == [802, 803]
    assert answer.freshness == pb.FRESHNESS_STALE


async def test_a_team_that_is_still_there_can_not_be_deleted(
    service: Service, module_database: Database
) -> None:
    await publish(service)
    with module_database.connect() as connection, pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.execute("DELETE FROM teams WHERE id = 801")


@pytest.mark.parametrize("field", ["installation_id", "team_id"])
async def test_a_faulty_request_names_its_fields(identity: Any, field: str) -> None:
    request = ForgetTeamRequest(**{"installation_id": INSTALLATION, "team_id": 801, field: 0})
    with pytest.raises(RemoteError) as failed:
        await identity.ForgetTeam(request)
    assert (failed.value.code, failed.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert [violation.field for violation in failed.value.violations] == [field]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (PrincipalKind.SERVICE, "scoring"),
        (PrincipalKind.BACKEND, "some-backend"),
        (PrincipalKind.OPERATOR, "operator"),
        (PrincipalKind.GATEWAY, "gateway"),
    ],
)
async def test_identity_alone_has_teams_forgotten(
    service: Service, kind: PrincipalKind, name: str
) -> None:
    stub = materialization_pb2_grpc.MaterializationServiceStub(service.channel(kind, name=name))
    with pytest.raises(RemoteError) as failed:
        await stub.ForgetTeam(forget())
    assert (failed.value.code, failed.value.reason) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")
