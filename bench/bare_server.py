"""The limit of reads: a grpc.aio server that returns ready-made bytes and does nothing else.

`python -m bench.bare_server FILE METHOD` answers every call of METHOD with the bytes of FILE and
prints its port.
"""

import asyncio
import sys
from pathlib import Path

import grpc


class Bare(grpc.GenericRpcHandler):
    """Answers one method with constant bytes."""

    def __init__(self, method: str, answer: bytes) -> None:
        self._method = method

        async def reply(_request: bytes, _context: object) -> bytes:
            return answer

        # No serializers: bytes come and go as they are.
        self._handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(
            reply
        )

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        """The handler of the one method."""
        return self._handler if handler_call_details.method == self._method else None


async def serve(answer: bytes, method: str) -> None:
    """Serves until the process is ended."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Bare(method, answer),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]).read_bytes(), sys.argv[2]))
