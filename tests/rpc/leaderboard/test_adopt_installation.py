"""AdoptInstallation and ForgetInstallation over the wire: boards change hands, or go."""

from datetime import timedelta
from typing import Any

import pytest

from laurel.leaderboard.v1 import leaderboard_pb2 as pb
from laurel.leaderboard.v1 import materialization_pb2_grpc
from laurel.leaderboard.v1.board_moves_pb2 import (
    AdoptInstallationRequest,
    AdoptInstallationResponse,
    ForgetInstallationRequest,
)
from laurel.leaderboard.v1.materialization_pb2 import STALE_CAUSE_SIGNALS, MarkStaleRequest
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from tests.rpc.leaderboard.conftest import Service
from tests.support.database import Database
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    ORGANIZATION,
    TEAMS,
    BoardOf,
    board_message,
    stream_of,
)
from tests.support.rows import Rows

pytestmark = pytest.mark.asyncio(loop_scope="module")
LATER, OWN_PRESET, REAL_ACCOUNT = 72, 8, 701


@pytest.fixture(scope="module")
def later(module_database: Database, module_service: Service) -> None:
    """Another installation on the account with a preset of its own; and another account."""
    with module_database.connect() as connection:
        rows = Rows(connection)
        rows.organization(id=REAL_ACCOUNT, login="acme-inc")
        rows.installation(installation_id=LATER, organization_id=ORGANIZATION)
        rows.preset(LATER, id=OWN_PRESET)


@pytest.fixture
def service(emptied_service: Service, later: None, module_database: Database) -> Service:
    return emptied_service


async def adopt(service: Service, **changes: Any) -> AdoptInstallationResponse:
    values = {
        "from_installation_id": INSTALLATION,
        "into_installation_id": LATER,
        "organization_id": ORGANIZATION,
        **changes,
    }
    channel = service.channel(PrincipalKind.SERVICE, name="identity")
    stub = materialization_pb2_grpc.MaterializationServiceStub(channel)
    answer: AdoptInstallationResponse = await stub.AdoptInstallation(
        AdoptInstallationRequest(**values)
    )
    return answer


async def read(service: Service, key: Any = CONTRIBUTORS, **changes: Any) -> list[tuple[int, int]]:
    board = board_message(key, **changes)
    request = pb.GetLeaderboardRequest(board=board)
    answer = await service.boards.GetLeaderboard(request)
    return [(each.entity.id, each.score_e4) for each in answer.entries]


async def test_boards_are_read_under_the_later_installation_alone(service: Service) -> None:
    for day in range(2):
        boards = [BoardOf({1: 50 + day, 2: 40}, CONTRIBUTORS), BoardOf({801: 9 + day}, TEAMS)]
        await service.publish(*stream_of(*boards, as_of=service.clock.now()))
        service.clock.advance(timedelta(days=1))
        await service.inner.retire()
    own = stream_of(
        BoardOf({3: 1}), installation_id=LATER, preset_id=OWN_PRESET, as_of=service.clock.now()
    )
    await service.publish(*own)
    # Both are in memory and in Redis now.
    assert await read(service) == [(1, 51), (2, 40)]
    assert await read(service, installation_id=LATER) == [(3, 1)]
    done = await adopt(service)
    assert done.adopted_preset_count == 1
    assert await read(service, installation_id=LATER) == [(1, 51), (2, 40)]
    assert await read(service, TEAMS, installation_id=LATER) == [(801, 10)]
    with pytest.raises(RemoteError) as gone:
        await read(service)
    assert gone.value.reason == "BOARD_NOT_FOUND"
    history = await service.boards.GetHistory(
        pb.GetHistoryRequest(board=board_message(installation_id=LATER), entity_ids=[1])
    )
    assert [each.score_e4 for each in history.points] == [50, 51]
    again = await adopt(service)
    assert again.adopted_preset_count == 0


async def test_adopted_boards_are_stale_until_they_are_scored_again(service: Service) -> None:
    """Marks are numbers of an installation's: what the former one settled counts for nothing."""
    mark = 0
    for _ in range(5):
        answer = await service.scoring.MarkStale(
            MarkStaleRequest(installation_id=INSTALLATION, cause=STALE_CAUSE_SIGNALS)
        )
        mark = answer.mark
    await service.publish(*stream_of(BoardOf({1: 5}), stale_mark=mark))
    await adopt(service)
    request = pb.GetLeaderboardRequest(board=board_message(installation_id=LATER))
    assert (await service.boards.GetLeaderboard(request)).freshness == pb.FRESHNESS_STALE
    answer = await service.scoring.MarkStale(
        MarkStaleRequest(installation_id=LATER, cause=STALE_CAUSE_SIGNALS)
    )
    assert answer.mark > mark
    again = stream_of(
        BoardOf({1: 5}),
        as_of=service.clock.advance(timedelta(minutes=1)),
        installation_id=LATER,
        stale_mark=answer.mark,
    )
    published: Any = await service.publish(*again)
    assert (published.published_count, published.unchanged_count) == (0, 1)
    assert (await service.boards.GetLeaderboard(request)).freshness == pb.FRESHNESS_FRESH


async def test_boards_follow_to_the_account_that_an_imported_one_turned_out_to_be(
    service: Service, module_database: Database
) -> None:
    await service.publish(*stream_of(BoardOf({1: 5})))
    with module_database.connect() as owner:
        owner.execute(
            "UPDATE github_installations SET organization_id = %s WHERE installation_id = %s",
            [REAL_ACCOUNT, LATER],
        )
    await adopt(service, organization_id=REAL_ACCOUNT)
    assert await read(service, installation_id=LATER, scope_id=REAL_ACCOUNT) == [(1, 5)]
    assert await read(service, installation_id=LATER, scope_id=0) == [(1, 5)]
    published: Any = await service.publish(
        *stream_of(
            BoardOf({1: 6}, CONTRIBUTORS._replace(scope_id=REAL_ACCOUNT)),
            as_of=service.clock.advance(timedelta(minutes=1)),
            installation_id=LATER,
            organization_id=REAL_ACCOUNT,
        )
    )
    assert published.published_count == 1
    assert await read(service, installation_id=LATER, scope_id=REAL_ACCOUNT) == [(1, 6)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"into_installation_id": INSTALLATION}, "INVALID_REQUEST", id="itself"),
        pytest.param({"organization_id": 0}, "INVALID_REQUEST", id="no account"),
        pytest.param({"into_installation_id": 404}, "REFERENCE_MISSING", id="into nothing"),
        pytest.param({"organization_id": 404}, "REFERENCE_MISSING", id="unknown account"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    service: Service, changes: dict[str, int], reason: str
) -> None:
    await service.publish(*stream_of(BoardOf({1: 5})))
    with pytest.raises(RemoteError) as refused:
        await adopt(service, **changes)
    assert refused.value.reason == reason
    assert await read(service) == [(1, 5)]


@pytest.mark.parametrize(
    "kind", [PrincipalKind.OPERATOR, PrincipalKind.BACKEND, PrincipalKind.GATEWAY], ids=str
)
async def test_only_identity_may_have_boards_adopted(service: Service, kind: PrincipalKind) -> None:
    stub = materialization_pb2_grpc.MaterializationServiceStub(service.channel(kind))
    request = AdoptInstallationRequest(
        from_installation_id=1, into_installation_id=2, organization_id=3
    )
    with pytest.raises(RemoteError) as refused:
        await stub.AdoptInstallation(request)
    assert refused.value.reason == "CALLER_NOT_ALLOWED"


async def test_boards_of_a_forgotten_installation_are_gone_and_others_stay(
    service: Service, module_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laurel_leaderboard.storage.erasures._SLICE", 2)
    for day in range(3):
        boards = [BoardOf({1: 50 + day}, CONTRIBUTORS), BoardOf({801: 9 + day}, TEAMS)]
        await service.publish(*stream_of(*boards, as_of=service.clock.now()))
        service.clock.advance(timedelta(days=1))
        await service.inner.retire()
    own = stream_of(
        BoardOf({3: 1}), installation_id=LATER, preset_id=OWN_PRESET, as_of=service.clock.now()
    )
    await service.publish(*own)
    assert await read(service) == [(1, 52)]
    channel = service.channel(PrincipalKind.SERVICE, name="identity")
    stub = materialization_pb2_grpc.MaterializationServiceStub(channel)
    done = await stub.ForgetInstallation(ForgetInstallationRequest(installation_id=INSTALLATION))
    assert (done.forgotten_count, done.is_complete) == (8, True)
    with pytest.raises(RemoteError) as gone:
        await read(service)
    assert gone.value.reason == "BOARD_NOT_FOUND"
    assert await read(service, installation_id=LATER) == [(3, 1)]
    with module_database.connect() as owner:
        left = owner.execute("SELECT DISTINCT preset_id FROM leaderboard_materializations")
        assert left.fetchall() == [(OWN_PRESET,)]
    again = await stub.ForgetInstallation(ForgetInstallationRequest(installation_id=INSTALLATION))
    assert (again.forgotten_count, again.is_complete) == (0, True)
    operator = materialization_pb2_grpc.MaterializationServiceStub(
        service.channel(PrincipalKind.OPERATOR)
    )
    with pytest.raises(RemoteError) as refused:
        await operator.ForgetInstallation(ForgetInstallationRequest(installation_id=1))
    assert refused.value.reason == "CALLER_NOT_ALLOWED"
