"""What a gateway asks of Laurel: as itself with its key, and as whoever a request's session is."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import grpc
from google.protobuf.descriptor import FileDescriptor

from laurel.identity.v1 import auth_pb2, auth_pb2_grpc, installation_pb2, installation_pb2_grpc
from laurel.ingest.v1 import webhook_pb2, webhook_pb2_grpc
from laurel.leaderboard.v1 import leaderboard_pb2, leaderboard_pb2_grpc
from laurel_common.auth.tokens import Tokens
from laurel_common.rpc.client import connect

# The session's token of the request that is being served.
session: ContextVar[str] = ContextVar("session", default="")


class SessionTokens:
    """One channel serves everybody: each call goes out with the session of its own request."""

    def token(self, audience: str) -> str:  # noqa: ARG002 - the port's signature
        """The token."""
        return session.get()


@dataclass(frozen=True, slots=True)
class Laurel:
    """Stubs; `sign_in` and `webhooks` call with the gateway's key, the others with the session."""

    sign_in: auth_pb2_grpc.AuthServiceStub
    webhooks: webhook_pb2_grpc.WebhookServiceStub
    sessions: auth_pb2_grpc.AuthServiceStub
    installations: installation_pb2_grpc.InstallationServiceStub
    boards: leaderboard_pb2_grpc.LeaderboardServiceStub


@asynccontextmanager
async def connected(targets: Mapping[str, str], own: Tokens) -> AsyncIterator[Laurel]:
    """Channels to identity, ingest and leaderboard until the block ends; connects when used."""
    users = SessionTokens()

    def channel(service: str, tokens: Tokens, contract: FileDescriptor) -> grpc.aio.Channel:
        # What the contract declares idempotent is tried again while the service is away.
        described = list(contract.services_by_name.values())
        return connect(targets[service], audience=service, tokens=tokens, services=described)

    async with (
        channel("identity", own, auth_pb2.DESCRIPTOR) as sign_in,
        channel("ingest", own, webhook_pb2.DESCRIPTOR) as webhooks,
        channel("identity", users, auth_pb2.DESCRIPTOR) as sessions,
        channel("identity", users, installation_pb2.DESCRIPTOR) as installations,
        channel("leaderboard", users, leaderboard_pb2.DESCRIPTOR) as boards,
    ):
        yield Laurel(
            auth_pb2_grpc.AuthServiceStub(sign_in),
            webhook_pb2_grpc.WebhookServiceStub(webhooks),
            auth_pb2_grpc.AuthServiceStub(sessions),
            installation_pb2_grpc.InstallationServiceStub(installations),
            leaderboard_pb2_grpc.LeaderboardServiceStub(boards),
        )
