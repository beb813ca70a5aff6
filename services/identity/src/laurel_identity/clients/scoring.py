"""Scoring over gRPC."""

import grpc

from laurel.scoring.v1 import scoring_pb2, scoring_pb2_grpc


class ScoringRuns:
    """Implements StartScoring over a channel whose calls raise RemoteError."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = scoring_pb2_grpc.ScoringServiceStub(channel)

    async def __call__(self, installation_id: int) -> None:
        """See StartScoring."""
        await self._stub.StartScoring(
            scoring_pb2.StartScoringRequest(installation_id=installation_id)
        )
