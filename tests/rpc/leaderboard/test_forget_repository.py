"""ForgetRepository over the wire."""

from datetime import timedelta
from typing import Any

import pytest

from laurel.leaderboard.v1 import leaderboard_pb2 as pb
from laurel.leaderboard.v1 import materialization_pb2_grpc
from laurel.leaderboard.v1.board_moves_pb2 import ForgetRepositoryRequest
from laurel.leaderboard.v1.materialization_pb2 import ListMaterializationsRequest
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_leaderboard.domain.boards import BoardKey, ScopeType
from tests.rpc.leaderboard.conftest import Service
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    BoardOf,
    board_message,
    stream_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
GONE, STAYS = 901, 902
OF_GONE = CONTRIBUTORS._replace(scope_type=ScopeType.REPOSITORY, scope_id=GONE)
OF_OTHER = OF_GONE._replace(scope_id=STAYS)


@pytest.fixture
def service(emptied_service: Service) -> Service:
    return emptied_service


async def publish(service: Service, points: int) -> None:
    boards = [BoardOf({1: points}, key) for key in (CONTRIBUTORS, OF_GONE, OF_OTHER)]
    as_of = service.clock.advance(timedelta(minutes=1))
    await service.publish(*stream_of(*boards, as_of=as_of))


async def size(service: Service, key: BoardKey) -> int:
    request = pb.GetLeaderboardRequest(board=board_message(key))
    return int((await service.boards.GetLeaderboard(request)).total_size)


def forget(repository_id: int = GONE, **changes: int) -> ForgetRepositoryRequest:
    values = {"installation_id": INSTALLATION, "repository_id": repository_id} | changes
    return ForgetRepositoryRequest(**values)


async def test_a_repository_that_left_has_no_board_and_no_day(
    service: Service, identity: Any
) -> None:
    await publish(service, 1)
    service.clock.advance(timedelta(days=1))
    await service.inner.retire()
    await publish(service, 2)
    for key in (CONTRIBUTORS, OF_GONE, OF_OTHER):
        assert await size(service, key) == 1
    assert (await identity.ForgetRepository(forget())).forgotten_version_count == 2
    days = pb.GetHistoryRequest(board=board_message(OF_GONE), entity_ids=[1])
    for read in (size(service, OF_GONE), service.boards.GetHistory(days)):
        with pytest.raises(RemoteError) as refused:
            await read
        assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "BOARD_NOT_FOUND")
    assert (await size(service, CONTRIBUTORS), await size(service, OF_OTHER)) == (1, 1)


async def test_forgetting_again_or_elsewhere_does_nothing(service: Service, identity: Any) -> None:
    await publish(service, 1)
    await identity.ForgetRepository(forget())
    listed = ListMaterializationsRequest(installation_id=INSTALLATION)
    before = await service.versions.ListMaterializations(listed)
    for request in (forget(), forget(4711), forget(STAYS, installation_id=INSTALLATION + 1)):
        assert (await identity.ForgetRepository(request)).forgotten_version_count == 0
    assert await service.versions.ListMaterializations(listed) == before


async def test_what_names_nothing_is_refused_and_so_is_everybody_but_identity(
    service: Service, identity: Any
) -> None:
    with pytest.raises(RemoteError) as refused:
        await identity.ForgetRepository(ForgetRepositoryRequest())
    assert refused.value.reason == "INVALID_REQUEST"
    assert {each.field for each in refused.value.violations} == {"installation_id", "repository_id"}
    for kind in (PrincipalKind.OPERATOR, PrincipalKind.BACKEND):
        stub: Any = materialization_pb2_grpc.MaterializationServiceStub(service.channel(kind))
        with pytest.raises(RemoteError) as refused:
            await stub.ForgetRepository(forget())
        assert refused.value.reason == "CALLER_NOT_ALLOWED"
