"""Identity's part of webhooks, over gRPC."""

import grpc

from laurel.identity.v1 import installation_pb2, installation_pb2_grpc


class IdentityEvents:
    """Implements InstallationEvents over a channel whose calls raise RemoteError."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = installation_pb2_grpc.InstallationServiceStub(channel)

    async def hand_on(self, event: str, body: bytes) -> None:
        """See InstallationEvents."""
        await self._stub.HandleInstallationEvent(
            installation_pb2.HandleInstallationEventRequest(event=event, payload=body)
        )
