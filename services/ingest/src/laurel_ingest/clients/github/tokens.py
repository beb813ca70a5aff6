"""Installation tokens from identity."""

import grpc

from laurel.identity.v1 import installation_pb2, installation_pb2_grpc


class IdentityTokens:
    """Asks identity each time: it keeps them, and they are nowhere else."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._installations = installation_pb2_grpc.InstallationServiceStub(channel)

    async def token(self, installation_id: int, *, refused: str = "") -> str:
        """A token that identity minted."""
        response = await self._installations.CreateInstallationToken(
            installation_pb2.CreateInstallationTokenRequest(
                installation_id=installation_id, refused_token=refused
            )
        )
        return response.token
