"""The RPCs of grpc.health.v1 over a table of statuses.

grpcio's own servicer says SERVING from birth, and its watchers hold up a stop for as long as they
listen; here they are told NOT_SERVING and let go.
"""

# ruff: noqa: N802, ARG002 - the names and signatures of the generated base

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

Response = health_pb2.HealthCheckResponse


class HealthServicer(health_pb2_grpc.HealthServicer):
    """NOT_SERVING under each of `names` until told otherwise."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._statuses: dict[str, Any] = dict.fromkeys(names, Response.NOT_SERVING)
        self._changed = asyncio.Event()
        self._closed = False

    def tell(self, *, serving: bool) -> None:
        """Sets the status under every name; without effect once closed."""
        if not self._closed:
            self._set(Response.SERVING if serving else Response.NOT_SERVING)

    def close(self) -> None:
        """NOT_SERVING for good; watchers hear it and are done."""
        self._closed = True
        self._set(Response.NOT_SERVING)

    def _set(self, status: Any) -> None:
        self._statuses = dict.fromkeys(self._statuses, status)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def Check(self, request: Any, context: Any) -> Any:
        """The present status; NOT_FOUND for a service that is not here."""
        status = self._statuses.get(request.service)
        if status is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return Response(status=status)

    async def List(self, request: Any, context: Any) -> Any:
        """The present status under each name."""
        listed = {name: Response(status=status) for name, status in self._statuses.items()}
        response = health_pb2.HealthListResponse  # type: ignore[attr-defined]  # newer than its stubs
        return response(statuses=listed)

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """The status now and whenever it changes, until the server stops."""
        last = None
        while True:
            # All three at once: what changes while an answer is on its way is for the next turn.
            changed, closed = self._changed, self._closed
            status = self._statuses.get(request.service, Response.SERVICE_UNKNOWN)
            if status != last:
                yield Response(status=status)
                last = status
            if closed:
                return
            await changed.wait()
