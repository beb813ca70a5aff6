"""A caller of a stream that takes what it reads and nothing before."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc

from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_common.rpc.status import from_rpc_error
from laurel_common.testing.server import RunningServer

# A message larger than this lies at the server until it is read.
WINDOW = 200_000
_OPTIONS = [("grpc.http2.lookahead_bytes", 0), ("grpc.http2.bdp_probe", 0)]


class Unread:
    """A connection of an operator's."""

    def __init__(self, running: RunningServer) -> None:
        self.channel = grpc.aio.insecure_channel(running.target, options=_OPTIONS)
        tokens = running.keys.add("unread", PrincipalKind.OPERATOR)
        token = tokens.token(running.server.settings.service_name)
        self._metadata = (("authorization", f"Bearer {token}"),)

    def watch(self, method: Any, request: Any) -> Any:
        """The stream of `method`, which is one of a stub of `channel`."""
        return method(request, metadata=self._metadata)


@asynccontextmanager
async def unread(running: RunningServer) -> AsyncIterator[Unread]:
    """A connection that is closed in the end."""
    caller = Unread(running)
    async with caller.channel:
        yield caller


async def ended(stream: Any) -> tuple[list[Any], tuple[str, str]]:
    """What still came, and the code and reason that the stream ended with."""
    messages = []
    try:
        async for message in stream:
            messages += [message]
    except RemoteError as error:
        return messages, (error.code, error.reason)
    except grpc.aio.AioRpcError as error:
        remote = from_rpc_error(error)
        return messages, (remote.code, remote.reason)
    return messages, ("OK", "")
