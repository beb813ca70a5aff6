"""A repository that gets another owner: its signals are the new owner's, and both know of it."""

import pytest

from laurel.ingest.v1 import signal_pb2_grpc, signal_reads_pb2
from tests.support.stack_running import Laurel
from tests.support.world_actions import import_lines, list_signals
from tests.support.world_integrity import check_integrity
from tests.support.world_story import tell
from tests.support.world_tenants import Tenant

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORMER, LATER = Tenant(0), Tenant(3)


async def test_what_is_told_again_under_another_owner_moves_there(laurel: Laurel) -> None:
    story = await tell(laurel, ("geocoder",), length=120, cut=60)
    before = await list_signals(laurel, FORMER.installation_id)
    mark = await _mark(laurel, FORMER)
    moved = [
        line.replace(FORMER.login.encode(), LATER.login.encode()).replace(
            str(FORMER.account_id).encode(), str(LATER.account_id).encode()
        )
        for line in story.lines
    ]
    summary = await import_lines(laurel, moved)
    assert summary.totals.new == 0
    assert await list_signals(laurel, FORMER.installation_id) == []
    after = await list_signals(laurel, LATER.installation_id)
    assert [each.content_hash for each in after] == [each.content_hash for each in before]
    # Scoring asks by this mark whether a board is still what its inputs make.
    assert await _mark(laurel, FORMER) != mark
    check_integrity(laurel.connect)


async def _mark(laurel: Laurel, tenant: Tenant) -> str:
    request = signal_reads_pb2.StreamSignalsRequest(installation_id=tenant.installation_id)
    async with laurel.service("scoring").channel("ingest") as channel:
        stub = signal_pb2_grpc.SignalServiceStub(channel)
        headers = [
            each.header.input_mark
            async for each in stub.StreamSignals(request)
            if each.WhichOneof("message") == "header"
        ]
    (mark,) = headers
    return mark
