"""The limit of uncached introspection: a grpc.aio server that does one bare SELECT per call.

`python -m bench.select_server DATABASE_URL METHOD` looks the digest of each request's token up and
prints its port.
"""

import asyncio
import sys
from hashlib import sha256

import grpc
from psycopg_pool import AsyncConnectionPool

from laurel.identity.v1 import auth_tokens_pb2

_POOL = 10
_QUERY = "SELECT id, user_id, created_at, expires_at FROM auth_sessions WHERE id = %s"


class Selecting(grpc.GenericRpcHandler):
    """Answers one method with what a SELECT finds."""

    def __init__(self, method: str, pool: AsyncConnectionPool) -> None:
        self._method = method

        async def reply(raw: bytes, _context: object) -> bytes:
            request = auth_tokens_pb2.IntrospectTokenRequest.FromString(raw)
            session_id = sha256(request.token.encode()).hexdigest()
            async with pool.connection() as connection:
                row = await (await connection.execute(_QUERY, [session_id])).fetchone()
            assert row is not None
            answer = auth_tokens_pb2.IntrospectTokenResponse(session_id=row[0], user_id=row[1])
            return answer.SerializeToString()

        self._handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(
            reply
        )

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        """The handler of the one method."""
        return self._handler if handler_call_details.method == self._method else None


async def serve(url: str, method: str) -> None:
    """Serves until the process is ended."""
    pool = AsyncConnectionPool(
        url, min_size=_POOL, max_size=_POOL, open=False, kwargs={"autocommit": True}
    )
    async with pool:
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((Selecting(method, pool),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
