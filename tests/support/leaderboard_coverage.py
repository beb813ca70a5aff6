"""What ingest would say of coverage."""

import asyncio

from laurel.common.v1 import coverage_pb2
from laurel.leaderboard.v1 import leaderboard_pb2
from laurel_common.errors import DependencyUnavailable
from laurel_leaderboard.application.scope_coverage import Scope


class ToldCoverage:
    """Coverage as a test says it, by scope; nothing is said of others."""

    def __init__(self) -> None:
        self.lines: dict[Scope, str] = {}
        self.asked: list[Scope] = []
        self.away = False
        self.hangs = False
        self.hanging = 0

    async def part(self, scope: Scope) -> bytes:
        self.asked.append(scope)
        if self.hangs:
            self.hanging += 1
            try:
                await asyncio.Event().wait()
            finally:
                self.hanging -= 1
        if self.away:
            raise DependencyUnavailable
        if scope not in self.lines:
            return b""
        told = coverage_pb2.CoverageSummary(line=self.lines[scope])
        return leaderboard_pb2.GetLeaderboardResponse(coverage=told).SerializeToString()
