"""GetPreset and ListPresets over the wire."""

import pytest

from laurel.scoring.v1 import preset_pb2, preset_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.rpc import convert_presets as convert
from tests.rpc.scoring.conftest import Service
from tests.support.scoring_database import an_installation


async def test_the_active_preset_is_the_default_one_from_the_start(service: Service) -> None:
    response = await service.presets.GetPreset(
        preset_pb2.GetPresetRequest(installation_id=service.installation)
    )
    preset = response.preset
    assert (preset.name, preset.is_active) == ("default", True)
    assert preset.rules == convert.rules(DEFAULT_RULES)
    assert preset.HasField("create_time")
    assert preset.HasField("update_time")


async def test_presets_come_page_by_page(service: Service) -> None:
    await service.presets.ListPresets(
        preset_pb2.ListPresetsRequest(installation_id=service.installation)
    )
    with service.database.connect("laurel_scoring") as scoring:
        scoring.execute(
            "WITH made AS (INSERT INTO scoring_presets (installation_id, preset_name)"
            " VALUES (%s, 'second') RETURNING id), rules AS"
            " (INSERT INTO scoring_preset_rules (preset_id) SELECT id FROM made)"
            " INSERT INTO scoring_preset_revisions (preset_id) SELECT id FROM made",
            (service.installation,),
        )
    names, token = [], ""
    for _ in range(2):
        page = await service.presets.ListPresets(
            preset_pb2.ListPresetsRequest(
                installation_id=service.installation, page_size=1, page_token=token
            )
        )
        names += [preset.name for preset in page.presets]
        token = page.next_page_token
    assert names == ["default", "second"]
    assert token == ""


async def test_a_page_token_of_another_installation_is_refused(service: Service) -> None:
    other = an_installation(service.database, 8)
    with service.database.connect("laurel_scoring") as scoring:
        for name in ("one", "two"):
            scoring.execute(
                "WITH made AS (INSERT INTO scoring_presets (installation_id, preset_name)"
                " VALUES (%s, %s) RETURNING id), rules AS"
                " (INSERT INTO scoring_preset_rules (preset_id) SELECT id FROM made)"
                " INSERT INTO scoring_preset_revisions (preset_id) SELECT id FROM made",
                (other, name),
            )
    page = await service.presets.ListPresets(
        preset_pb2.ListPresetsRequest(installation_id=other, page_size=1)
    )
    assert page.next_page_token
    with pytest.raises(RemoteError) as refused:
        await service.presets.ListPresets(
            preset_pb2.ListPresetsRequest(
                installation_id=service.installation, page_token=page.next_page_token
            )
        )
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN")


@pytest.mark.parametrize(
    ("request_message", "code", "reason"),
    [
        pytest.param(
            preset_pb2.GetPresetRequest(installation_id=404),
            "NOT_FOUND",
            "INSTALLATION_NOT_FOUND",
            id="no-installation",
        ),
        pytest.param(
            preset_pb2.GetPresetRequest(installation_id=7, preset_id=404),
            "NOT_FOUND",
            "PRESET_NOT_FOUND",
            id="no-preset",
        ),
        pytest.param(
            preset_pb2.GetPresetRequest(),
            "INVALID_ARGUMENT",
            "INVALID_REQUEST",
            id="no-installation-id",
        ),
    ],
)
async def test_what_get_preset_refuses(
    service: Service, request_message: preset_pb2.GetPresetRequest, code: str, reason: str
) -> None:
    with pytest.raises(RemoteError) as refused:
        await service.presets.GetPreset(request_message)
    assert (refused.value.code, refused.value.reason) == (code, reason)


async def test_the_presets_of_an_unknown_installation_are_not_found(service: Service) -> None:
    with pytest.raises(RemoteError) as refused:
        await service.presets.ListPresets(preset_pb2.ListPresetsRequest(installation_id=404))
    assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "INSTALLATION_NOT_FOUND")


async def test_a_backend_reads_the_presets_of_its_own_installations_only(service: Service) -> None:
    backend = service.channel(PrincipalKind.BACKEND, installations=[8])
    stub = preset_pb2_grpc.PresetServiceStub(backend)
    with pytest.raises(RemoteError) as refused:
        await stub.GetPreset(preset_pb2.GetPresetRequest(installation_id=service.installation))
    assert (refused.value.code, refused.value.reason) == (
        "PERMISSION_DENIED",
        "INSTALLATION_NOT_COVERED",
    )
