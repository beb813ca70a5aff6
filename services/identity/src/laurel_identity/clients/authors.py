"""Has ingest credit authors as claims say."""

import grpc

from laurel.ingest.v1 import signal_claims_pb2, signal_pb2_grpc
from laurel_identity.domain.claims import Claim


class IngestAuthors:
    """Implements Authors over a channel whose calls raise RemoteError."""

    def __init__(self, ingest: grpc.aio.Channel) -> None:
        self._signals = signal_pb2_grpc.SignalServiceStub(ingest)

    async def follow(self, claim: Claim) -> tuple[int, bool]:
        """See Authors."""
        answer = await self._signals.ClaimAuthor(
            signal_claims_pb2.ClaimAuthorRequest(
                synthetic_user_id=claim.synthetic_user_id,
                user_id=claim.user_id,
                release=claim.is_release,
            )
        )
        return answer.moved_count, answer.is_complete
