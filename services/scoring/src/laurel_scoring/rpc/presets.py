"""PresetService on the wire."""

from typing import Any

from laurel.scoring.v1 import preset_moves_pb2, preset_pb2, preset_pb2_grpc
from laurel_common.surroundings import current_principal
from laurel_scoring.application.adopt_installation import AdoptInstallation
from laurel_scoring.application.change_presets import ChangePresets
from laurel_scoring.application.ports import Actor
from laurel_scoring.application.read_presets import GetPreset, ListPresets
from laurel_scoring.rpc import convert_presets as convert


class PresetServicer(preset_pb2_grpc.PresetServiceServicer):
    """The rule sets of an installation."""

    def __init__(
        self,
        get_preset: GetPreset,
        list_presets: ListPresets,
        change: ChangePresets,
        adopt: AdoptInstallation,
    ) -> None:
        self._get = get_preset
        self._list = list_presets
        self._change = change
        self._adopt = adopt

    async def GetPreset(
        self, request: preset_pb2.GetPresetRequest, _context: Any
    ) -> preset_pb2.GetPresetResponse:
        """One preset, by id or the active one."""
        found = await self._get(request.installation_id, request.preset_id)
        return preset_pb2.GetPresetResponse(preset=convert.preset(found))

    async def ListPresets(
        self, request: preset_pb2.ListPresetsRequest, _context: Any
    ) -> preset_pb2.ListPresetsResponse:
        """The presets of an installation, by id."""
        found, token = await self._list(
            request.installation_id, request.page_size, request.page_token
        )
        return preset_pb2.ListPresetsResponse(
            presets=map(convert.preset, found), next_page_token=token
        )

    async def CreatePreset(
        self, request: preset_pb2.CreatePresetRequest, _context: Any
    ) -> preset_pb2.CreatePresetResponse:
        """Makes a preset, which scores nothing until it is activated."""
        made = await self._change.create(
            request.installation_id,
            request.name,
            convert.new_rules(request),
            request_id=request.request_id,
            by=_actor(),
        )
        return preset_pb2.CreatePresetResponse(preset=convert.preset(made))

    async def UpdatePreset(
        self, request: preset_pb2.UpdatePresetRequest, _context: Any
    ) -> preset_pb2.UpdatePresetResponse:
        """Changes a preset's name or rules."""
        changed, run = await self._change.update(
            request.installation_id, request.preset_id, convert.preset_edit(request), by=_actor()
        )
        return preset_pb2.UpdatePresetResponse(
            preset=convert.preset(changed), scoring_id=run.id if run else 0
        )

    async def DeletePreset(
        self, request: preset_pb2.DeletePresetRequest, _context: Any
    ) -> preset_pb2.DeletePresetResponse:
        """Deletes a preset with all boards that it ever scored."""
        await self._change.delete(
            request.installation_id, request.preset_id, request.etag, by=_actor()
        )
        return preset_pb2.DeletePresetResponse()

    async def ActivatePreset(
        self, request: preset_pb2.ActivatePresetRequest, _context: Any
    ) -> preset_pb2.ActivatePresetResponse:
        """Makes a preset the active one and scores by it in the background."""
        active, run = await self._change.activate(
            request.installation_id, request.preset_id, by=_actor()
        )
        return preset_pb2.ActivatePresetResponse(preset=convert.preset(active), scoring_id=run.id)

    async def AdoptInstallation(
        self, request: preset_moves_pb2.AdoptInstallationRequest, _context: Any
    ) -> preset_moves_pb2.AdoptInstallationResponse:
        """Makes an installation's presets another one's."""
        count, run = await self._adopt(
            request.from_installation_id, request.into_installation_id, by=_actor()
        )
        return preset_moves_pb2.AdoptInstallationResponse(
            adopted_preset_count=count, scoring_id=run.id if run else 0
        )


def _actor() -> Actor:
    principal = current_principal()
    return Actor(principal.kind.value, principal.name)
