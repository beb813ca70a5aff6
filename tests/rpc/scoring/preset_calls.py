"""Calls of PresetService with their defaults, and what refusals say."""

from collections.abc import Awaitable
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from laurel.scoring.v1 import preset_pb2 as pb
from laurel_common.errors import RemoteError
from tests.rpc.scoring.conftest import Service


async def create(
    service: Service, name: str = "bold", rules: pb.Rules | None = None, request_id: str = ""
) -> pb.Preset:
    response = await service.presets.CreatePreset(
        pb.CreatePresetRequest(
            installation_id=service.installation, name=name, rules=rules, request_id=request_id
        )
    )
    return response.preset


async def update(
    service: Service, preset: pb.Preset, paths: tuple[str, ...] = (), **fields: Any
) -> pb.UpdatePresetResponse:
    request = pb.UpdatePresetRequest(
        installation_id=service.installation,
        preset_id=preset.id,
        etag=fields.pop("etag", preset.etag),
        update_mask=FieldMask(paths=paths),
        **fields,
    )
    return await service.presets.UpdatePreset(request)


async def delete(service: Service, preset: pb.Preset, etag: str = "") -> pb.DeletePresetResponse:
    return await service.presets.DeletePreset(
        pb.DeletePresetRequest(installation_id=service.installation, preset_id=preset.id, etag=etag)
    )


async def activate(service: Service, preset: pb.Preset) -> pb.ActivatePresetResponse:
    return await service.presets.ActivatePreset(
        pb.ActivatePresetRequest(installation_id=service.installation, preset_id=preset.id)
    )


async def get(service: Service, preset_id: int = 0) -> pb.Preset:
    response = await service.presets.GetPreset(
        pb.GetPresetRequest(installation_id=service.installation, preset_id=preset_id)
    )
    return response.preset


def audit(service: Service) -> list[tuple[Any, ...]]:
    with service.database.connect() as owner:
        return owner.execute(
            "SELECT action, preset_name, actor_kind, changed_at, before, after"
            " FROM scoring_preset_changes ORDER BY id"
        ).fetchall()


async def refused(call: Awaitable[object]) -> RemoteError:
    with pytest.raises(RemoteError) as error:
        await call
    return error.value


def told(error: RemoteError) -> tuple[str, str]:
    return error.code, error.reason


def faults(error: RemoteError) -> list[str]:
    return [each.field for each in error.violations]
