"""Asking what rules would make of a board."""

from dataclasses import dataclass

from laurel.scoring.v1 import preset_pb2, preset_pb2_grpc, preview_pb2, scoring_pb2_grpc
from laurel_cli.rpc.boards import BrokenStreamError
from laurel_cli.rpc.caller import Caller


@dataclass(frozen=True, slots=True)
class FoundPreview:
    """A preview, as far as its entries were asked for."""

    header: preview_pb2.PreviewRulesHeader
    entries: list[preview_pb2.PreviewEntry]


async def active_rules(caller: Caller, installation_id: int) -> preset_pb2.Rules:
    """The rules that an installation is scored by."""
    async with caller.channel("scoring") as channel:
        stub = preset_pb2_grpc.PresetServiceStub(channel)
        request = preset_pb2.GetPresetRequest(installation_id=installation_id)
        answer: preset_pb2.GetPresetResponse = await stub.GetPreset(request)
    return answer.preset.rules


async def preview(caller: Caller, request: preview_pb2.PreviewRulesRequest) -> FoundPreview:
    """The preview of a candidate."""
    header: preview_pb2.PreviewRulesHeader | None = None
    entries: list[preview_pb2.PreviewEntry] = []
    async with caller.channel("scoring") as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        async for answer in stub.PreviewRules(request):
            if answer.WhichOneof("message") == "header":
                header = answer.header
            else:
                entries.extend(answer.entries.entries)
    if header is None or len(entries) != header.entry_count:
        raise BrokenStreamError
    return FoundPreview(header, entries)
