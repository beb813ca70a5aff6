"""Scoring over gRPC."""

import grpc

from laurel.scoring.v1 import scoring_pb2, scoring_pb2_grpc


class ScoringRuns:
    """Implements Scoring over a channel whose calls raise RemoteError."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = scoring_pb2_grpc.ScoringServiceStub(channel)

    async def start(self, installation_id: int) -> None:
        """See Scoring."""
        await self._stub.StartScoring(
            scoring_pb2.StartScoringRequest(installation_id=installation_id)
        )
