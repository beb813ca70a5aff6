"""Who may change presets, and of which installation."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from laurel.scoring.v1 import preset_pb2 as pb
from laurel.scoring.v1 import preset_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from tests.rpc.scoring.conftest import Service, Shared, running_service
from tests.rpc.scoring.preset_calls import faults, refused, told
from tests.support.database import Database
from tests.support.scoring_database import an_installation
from tests.support.scoring_peers import serving_peers

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLS: dict[str, Callable[[preset_pb2_grpc.PresetServiceStub, int, int], Awaitable[object]]] = {
    "CreatePreset": lambda stub, installation, _preset: stub.CreatePreset(
        pb.CreatePresetRequest(installation_id=installation, name="bold")
    ),
    "UpdatePreset": lambda stub, installation, preset: stub.UpdatePreset(
        pb.UpdatePresetRequest(
            installation_id=installation, preset_id=preset, name="x", etag="404-1"
        )
    ),
    "DeletePreset": lambda stub, installation, preset: stub.DeletePreset(
        pb.DeletePresetRequest(installation_id=installation, preset_id=preset)
    ),
    "ActivatePreset": lambda stub, installation, preset: stub.ActivatePreset(
        pb.ActivatePresetRequest(installation_id=installation, preset_id=preset)
    ),
}


@pytest.fixture
def service(shared: Shared) -> Service:
    return shared.service


@pytest.mark.parametrize("method", CALLS)
async def test_an_unknown_installation_is_not_found(service: Service, method: str) -> None:
    error = await refused(CALLS[method](service.presets, 404, 1))
    assert told(error) == ("NOT_FOUND", "INSTALLATION_NOT_FOUND")


async def test_another_installations_preset_is_not_found(service: Service) -> None:
    response = await service.presets.CreatePreset(
        pb.CreatePresetRequest(installation_id=service.installation, name="bold")
    )
    made = response.preset
    other = an_installation(service.database, 8)
    for method in CALLS.keys() - {"CreatePreset"}:
        error = await refused(CALLS[method](service.presets, other, made.id))
        assert told(error) == ("NOT_FOUND", "PRESET_NOT_FOUND"), method
    found = await service.presets.GetPreset(
        pb.GetPresetRequest(installation_id=service.installation, preset_id=made.id)
    )
    assert found.preset == made


@pytest.mark.parametrize("method", CALLS)
async def test_a_missing_installation_id_is_invalid(service: Service, method: str) -> None:
    error = await refused(CALLS[method](service.presets, 0, 1))
    assert told(error) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert faults(error) == ["installation_id"]


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(
    "kind", [PrincipalKind.BACKEND, PrincipalKind.GATEWAY, PrincipalKind.SERVICE]
)
async def test_only_admins_and_operators_change_presets(
    service: Service, method: str, kind: PrincipalKind
) -> None:
    stub = preset_pb2_grpc.PresetServiceStub(service.channel(kind))
    error = await refused(CALLS[method](stub, service.installation, 1))
    assert told(error) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")


@pytest.mark.parametrize("method", CALLS)
async def test_users_are_refused_who_are_no_admins(shared: Shared, method: str) -> None:
    channel = shared.service.server.channel_with(StaticToken(shared.someone.TOKEN))
    stub = preset_pb2_grpc.PresetServiceStub(channel)
    error = await refused(CALLS[method](stub, shared.service.installation, 1))
    assert told(error) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")


async def test_users_are_refused_while_nobody_asks_what_they_may_change(
    database: Database, redis_url: str, tmp_path: Path
) -> None:
    async with (
        serving_peers() as peers,
        running_service(database, redis_url, tmp_path, peers) as service,
    ):
        stub = preset_pb2_grpc.PresetServiceStub(service.server.channel_with(StaticToken("0" * 64)))
        for method, call in CALLS.items():
            error = await refused(call(stub, service.installation, 1))
            assert told(error) == ("UNAUTHENTICATED", "UNAUTHENTICATED"), method
