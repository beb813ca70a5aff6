"""Lets the services that hold something about teams forget one."""

import grpc

from laurel.ingest.v1 import signal_corrections_pb2, signal_pb2_grpc
from laurel.leaderboard.v1 import materialization_pb2, materialization_pb2_grpc


class ForgetTeams:
    """A TeamForgetter: leaderboard drops its boards and places, ingest its runs."""

    def __init__(self, leaderboard: grpc.aio.Channel, ingest: grpc.aio.Channel) -> None:
        self._boards = materialization_pb2_grpc.MaterializationServiceStub(leaderboard)
        self._signals = signal_pb2_grpc.SignalServiceStub(ingest)

    async def __call__(self, installation_id: int, team_id: int) -> None:
        """Lets everybody forget a team."""
        await self._boards.ForgetTeam(
            materialization_pb2.ForgetTeamRequest(installation_id=installation_id, team_id=team_id)
        )
        await self._signals.ForgetTeam(signal_corrections_pb2.ForgetTeamRequest(team_id=team_id))
