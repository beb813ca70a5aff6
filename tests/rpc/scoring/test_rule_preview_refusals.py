"""What PreviewRules refuses, whom it refuses, and what it hides."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.field_mask_pb2 import FieldMask

from laurel.common.v1 import types_pb2
from laurel.scoring.v1 import preset_pb2, range_pb2, scoring_pb2_grpc
from laurel_common.auth.access import Access
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from tests.rpc.scoring.conftest import Service, Shared
from tests.rpc.scoring.preset_calls import faults, get, told
from tests.rpc.scoring.preview_calls import only, preview, refusal
from tests.support.scoring_builders import AS_OF
from tests.support.scoring_history import ROSTER, history

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMMIT = types_pb2.SIGNAL_TYPE_COMMIT


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def service(shared: Shared) -> AsyncIterator[Service]:
    shared.service.peers.identity.roster = ROSTER
    shared.service.peers.ingest.signals = history()
    await shared.service.score()
    yield shared.service


@pytest.fixture(autouse=True)
def nobody_is_an_admin(shared: Shared) -> Iterator[None]:
    yield
    shared.someone.seen, shared.someone.is_admin = Access.full(), False


async def test_every_fault_of_a_candidate_is_named_at_once(service: Service) -> None:
    point = preset_pb2.BasePoints(type=COMMIT, points_e4=-1)
    quota = preset_pb2.DailyQuota(type=types_pb2.SIGNAL_TYPE_PR_OPEN, max_signals=1)
    rules = preset_pb2.Rules(base_points=[point, point], daily_quotas=[quota], weekly_threshold=-1)
    refused = await refusal(service, rules=rules)
    assert told(refused) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert faults(refused) == [
        "rules.base_points[commit]",
        "rules.weekly_threshold",
        "rules.base_points[commit].points_e4",
        "rules.daily_quotas[pr_open].max_signals",
    ]
    unknown = {"rules": preset_pb2.Rules(), "update_mask": FieldMask(paths=["name"])}
    assert faults(await refusal(service, **unknown)) == ["update_mask"]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="no candidate"),
        pytest.param({"rules": preset_pb2.Rules(), "candidate_preset_id": 1}, id="two"),
        pytest.param(
            {"candidate_preset_id": 1, "update_mask": FieldMask(paths=["rules"])}, id="mask alone"
        ),
        pytest.param({"candidate_preset_id": 1, "range": range_pb2.RangeBoard()}, id="a bad range"),
        pytest.param({"candidate_preset_id": 1, "top_size": 1_001}, id="a large top"),
    ],
)
async def test_a_preview_that_can_not_be_is_refused(
    service: Service, fields: dict[str, Any]
) -> None:
    refused = await refusal(service, **fields)
    assert told(refused) == ("INVALID_ARGUMENT", "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("changes", "candidate", "reason"),
    [
        pytest.param({"installation_id": 404}, 1, "INSTALLATION_NOT_FOUND", id="tenant"),
        pytest.param({"preset_id": 404}, 1, "PRESET_NOT_FOUND", id="preset"),
        pytest.param({}, 404, "PRESET_NOT_FOUND", id="candidate"),
        pytest.param({"scope_id": 78}, 1, "BOARD_NOT_FOUND", id="scope"),
    ],
)
async def test_what_is_not_there_is_not_found(
    service: Service, changes: dict[str, int], candidate: int, reason: str
) -> None:
    board = service.board()
    for name, value in changes.items():
        setattr(board, name, value)
    candidate_id = (await get(service)).id if candidate == 1 else candidate
    refused = await refusal(service, board=board, candidate_preset_id=candidate_id)
    assert told(refused) == ("NOT_FOUND", reason)


async def test_a_candidate_beyond_what_boards_hold_is_said_so(service: Service) -> None:
    boundless = preset_pb2.Rules(
        base_points=[preset_pb2.BasePoints(type=COMMIT, points_e4=10**8)],
        multipliers=[
            preset_pb2.Multiplier(
                kind=preset_pb2.MULTIPLIER_KIND_FIRST_ACTIVITY,
                factor_e4=10**6,
                signal_types=[COMMIT],
            )
        ],
    )
    service.peers.ingest.signals = [
        replace(each, user_id=1, repository_id=10, type="commit", value=Fraction(1000))
        for each in history()
    ]
    try:
        refused = await refusal(service, rules=boundless)
    finally:
        service.peers.ingest.signals = history()
    assert told(refused) == ("FAILED_PRECONDITION", "SCORE_OUT_OF_RANGE")


async def test_only_admins_preview_and_hidden_ones_stay_nameless(
    service: Service, shared: Shared
) -> None:
    candidate = only("weekly_threshold", weekly_threshold=0)
    board = service.board(entity=3)
    with pytest.raises(RemoteError) as refused:
        await preview(service, shared.users, board=board, **candidate)
    assert told(refused.value) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")
    shared.someone.is_admin = True
    shared.someone.seen = Access(is_admin=True, hidden_repositories=frozenset({11}))
    header, entries = await preview(service, shared.users, board=board, **candidate)
    full, everything = await preview(service, board=board, **candidate)
    assert header == full
    for masked, known in zip(entries, everything, strict=True):
        if known.entity_id == 11:
            assert (masked.entity_id, masked.entity_name) == (0, "")
            masked.entity_id, masked.entity_name = known.entity_id, known.entity_name
        assert masked == known
    hidden = await refusal(
        service, stub=shared.users, board=service.board(scope=3, scope_id=11), **candidate
    )
    assert told(hidden) == ("NOT_FOUND", "BOARD_NOT_FOUND")


@pytest.mark.parametrize("kind", [PrincipalKind.GATEWAY, PrincipalKind.SERVICE])
async def test_gateways_and_services_preview_nothing(service: Service, kind: PrincipalKind) -> None:
    stub = scoring_pb2_grpc.ScoringServiceStub(service.channel(kind))
    refused = await refusal(service, stub=stub, candidate_preset_id=1)
    assert told(refused) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")


async def test_backends_preview_within_what_their_key_covers(service: Service) -> None:
    candidate = only("weekly_threshold", weekly_threshold=0)
    for installations in ([service.installation], [8]):
        channel = service.channel(
            PrincipalKind.BACKEND, name=f"only{installations[0]}", installations=installations
        )
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        if installations == [8]:
            refused = await refusal(service, stub=stub, **candidate)
            assert told(refused) == ("PERMISSION_DENIED", "INSTALLATION_NOT_COVERED")
        else:
            assert (await preview(service, stub, **candidate))[1]


async def test_previews_take_the_installations_places(service: Service) -> None:
    ingest = service.peers.ingest
    reads = ingest.reads
    candidate = only("weekly_threshold", weekly_threshold=0)
    ingest.gate.clear()
    running = [asyncio.create_task(preview(service, **candidate)) for _ in range(2)]
    try:
        async with asyncio.timeout(10):
            while ingest.reads < reads + 2:
                await asyncio.sleep(0.01)
        refused = await refusal(service, **candidate)
    finally:
        ingest.gate.set()
    one, other = await asyncio.gather(*running)
    assert one == other
    assert told(refused) == ("RESOURCE_EXHAUSTED", "INSTALLATION_BUSY")
    assert refused.retry_after == timedelta(seconds=1)
    assert one[0].as_of.ToMicroseconds() >= int(AS_OF.timestamp() * 1_000_000)
