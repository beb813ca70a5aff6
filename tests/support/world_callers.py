"""Two tenants with boards, and the stubs of those who ask for what is not theirs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from laurel.common.v1 import board_pb2
from laurel.ingest.v1 import signal_pb2_grpc
from laurel.leaderboard.v1 import leaderboard_pb2_grpc, materialization_pb2_grpc
from laurel.scoring.v1 import scoring_pb2_grpc
from laurel_cli.rpc.caller import Caller
from laurel_common.errors import RemoteError
from tests.support.stack_running import Laurel
from tests.support.world_boards import board
from tests.support.world_story import Story, tell
from tests.support.world_tenants import Tenant

OTHER = Tenant(2)


@dataclass(slots=True)
class World:
    """Tenant `mine` and tenant OTHER, both scored, and a stub of each service for an operator."""

    laurel: Laurel
    story: Story
    mine: Tenant
    boards: Any
    versions: Any
    scoring: Any
    signals: Any


@asynccontextmanager
async def two_tenants(laurel: Laurel) -> AsyncIterator[World]:
    """The world while the block runs."""
    story = await tell(laurel, ("geocoder",), length=160, cut=100)
    mine, other = await story.settled(), await story.settled()
    assert other == OTHER
    async with stubs(laurel.caller) as found:
        yield World(laurel, story, mine, *found)


@asynccontextmanager
async def stubs(caller: Caller) -> AsyncIterator[tuple[Any, Any, Any, Any]]:
    """Boards, versions, scoring and signals as a caller reaches them."""
    async with AsyncExitStack() as stack:
        leaderboard = await stack.enter_async_context(caller.channel("leaderboard"))
        scoring = await stack.enter_async_context(caller.channel("scoring"))
        ingest = await stack.enter_async_context(caller.channel("ingest"))
        yield (
            leaderboard_pb2_grpc.LeaderboardServiceStub(leaderboard),
            materialization_pb2_grpc.MaterializationServiceStub(leaderboard),
            scoring_pb2_grpc.ScoringServiceStub(scoring),
            signal_pb2_grpc.SignalServiceStub(ingest),
        )


def a_board(
    tenant: Tenant, entity: str = "contributor", period: str = "all_time"
) -> board_pb2.Board:
    """A board of the tenant's organization."""
    return board(tenant.installation_id, "organization", tenant.account_id, entity, period)


async def refusal(call: Any) -> tuple[str, str]:
    """Code and reason of a call that must be refused."""
    with pytest.raises(RemoteError) as refused:
        await call
    return refused.value.code, refused.value.reason


async def all_of(stream: Any) -> list[Any]:
    """Every message of a stream."""
    return [each async for each in stream]
