"""Asks ingest how much of a scope it knows."""

import grpc

from laurel.ingest.v1 import ingest_pb2_grpc, ingest_runs_pb2
from laurel.leaderboard.v1 import leaderboard_pb2
from laurel_leaderboard.application.scope_coverage import Scope
from laurel_leaderboard.domain.boards import ScopeType


class IngestCoverage:
    """A CoverageSource over a channel to ingest whose calls raise RemoteError."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._ingest = ingest_pb2_grpc.IngestServiceStub(channel)

    async def part(self, scope: Scope) -> bytes:
        """See CoverageSource."""
        request = ingest_runs_pb2.SummarizeCoverageRequest(installation_id=scope.installation_id)
        if scope.scope_type is ScopeType.TEAM:
            request.team_id = scope.scope_id
        elif scope.scope_type is ScopeType.REPOSITORY:
            request.repository_id = scope.scope_id
        answer = await self._ingest.SummarizeCoverage(request)
        told = leaderboard_pb2.GetLeaderboardResponse(coverage=answer.summary)
        return told.SerializeToString()
