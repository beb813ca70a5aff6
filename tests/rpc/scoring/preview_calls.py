"""Calls of PreviewRules with their defaults, and what refusals say."""

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from laurel.scoring.v1 import preset_pb2, scoring_pb2_grpc
from laurel.scoring.v1 import preview_pb2 as pb
from laurel_common.errors import RemoteError
from tests.rpc.scoring.conftest import Service


async def preview(
    service: Service, stub: scoring_pb2_grpc.ScoringServiceStub | None = None, **fields: Any
) -> tuple[pb.PreviewRulesHeader, list[pb.PreviewEntry]]:
    """Of the organization's contributors of all time, unless told."""
    if not {"board", "range"} & fields.keys():
        fields["board"] = service.board()
    header = pb.PreviewRulesHeader()
    entries: list[pb.PreviewEntry] = []
    async for answer in (stub or service.scoring).PreviewRules(pb.PreviewRulesRequest(**fields)):
        if answer.HasField("header"):
            header = answer.header
        entries.extend(answer.entries.entries)
    assert header.entry_count == len(entries)
    return header, entries


async def refusal(service: Service, **fields: Any) -> RemoteError:
    with pytest.raises(RemoteError) as refused:
        await preview(service, **fields)
    return refused.value


def only(field: str, **rules: Any) -> dict[str, Any]:
    """A candidate that changes one field of the rules."""
    rule_set = preset_pb2.Rules(**rules)
    return {"rules": rule_set, "update_mask": FieldMask(paths=[f"rules.{field}"])}
