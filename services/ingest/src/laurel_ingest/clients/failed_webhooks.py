"""GitHub's account of the App's webhooks, by way of identity: the App's key is there."""

from datetime import UTC, datetime

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.identity.v1 import installation_pb2_grpc, webhook_attempts_pb2
from laurel_ingest.domain.redelivery import FailedAttempt


class IdentityFailedWebhooks:
    """Implements FailedWebhooks over a channel whose calls raise RemoteError."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = installation_pb2_grpc.InstallationServiceStub(channel)

    async def page(self, since: datetime, token: str) -> tuple[list[FailedAttempt], str]:
        """See FailedWebhooks."""
        start = Timestamp()
        start.FromDatetime(since)
        answer = await self._stub.ListFailedWebhooks(
            webhook_attempts_pb2.ListFailedWebhooksRequest(start_time=start, page_token=token)
        )
        found = [
            FailedAttempt(
                each.attempt_id,
                each.delivery_id,
                each.event,
                each.attempt_time.ToDatetime(tzinfo=UTC),
                each.installation_id or None,
                each.repository_id or None,
            )
            for each in answer.attempts
        ]
        return found, answer.next_page_token

    async def redeliver(self, attempt_id: int) -> bool:
        """See FailedWebhooks."""
        answer = await self._stub.RedeliverWebhook(
            webhook_attempts_pb2.RedeliverWebhookRequest(attempt_id=attempt_id)
        )
        return answer.accepted
