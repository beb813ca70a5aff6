"""Connects a service to identity's answers about users, and to the news that end them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from laurel.identity.v1 import auth_pb2, directory_pb2
from laurel_common.auth.keys import load_private_key
from laurel_common.auth.tokens import TokenSource
from laurel_common.config import ServiceSettings
from laurel_common.redis import create_redis
from laurel_common.rpc.client import connect_peer
from laurel_sessions.client import IdentitySessions
from laurel_sessions.revocations import RevocationListener


@dataclass(frozen=True, slots=True)
class ConnectedSessions:
    """`users` is what a server resolves sessions and access with; `close` ends the listening."""

    users: IdentitySessions
    listener: RevocationListener
    close: Callable[[], Awaitable[None]]


def connect_sessions(settings: ServiceSettings) -> ConnectedSessions:
    """A service's own view of identity's sessions. Called within the running loop."""
    tokens = TokenSource(settings.service_name, load_private_key(settings.key_file))
    channel = connect_peer(
        settings,
        "identity",
        tokens=tokens,
        services=[
            auth_pb2.DESCRIPTOR.services_by_name["AuthService"],
            directory_pb2.DESCRIPTOR.services_by_name["DirectoryService"],
        ],
    )
    redis = create_redis(settings.redis_url, max_connections=2)
    users = IdentitySessions(channel)
    listener = RevocationListener(redis, users.forget)
    listening = asyncio.create_task(listener.run(), name="laurel-revocations")

    async def close() -> None:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await redis.aclose()
        await channel.close()

    return ConnectedSessions(users, listener, close)
