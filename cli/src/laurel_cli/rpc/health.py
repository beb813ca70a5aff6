"""Asks services whether they serve, by grpc.health.v1."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2

from laurel_common.rpc.transport import OwnCertificate, channel_credentials

_POLL_SECONDS = 0.05
_STATUS = health_pb2.HealthCheckResponse.ServingStatus


async def health_of(
    target: str,
    *,
    timeout: float = 2.0,  # noqa: ASYNC109 - the call's own deadline
    ca_file: Path | None = None,
    allow_insecure: bool = False,
    own: OwnCertificate | None = None,
) -> str:
    """SERVING, NOT_SERVING, or the code of the error that was the answer (UNAVAILABLE, …)."""
    credentials = channel_credentials(
        target, ca_file=ca_file, allow_insecure=allow_insecure, own=own
    )
    # A port that was refused a moment ago is tried again, not remembered as dead.
    options = [("grpc.use_local_subchannel_pool", 1)]
    channel = (
        grpc.aio.insecure_channel(target, options)
        if credentials is None
        else grpc.aio.secure_channel(target, credentials, options)
    )
    async with channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await check(health_pb2.HealthCheckRequest(), timeout=timeout)
        except grpc.aio.AioRpcError as error:
            return error.code().name
    return str(_STATUS.Name(answer.status))


async def until_serving(
    targets: Mapping[str, str],
    *,
    seconds: float,
    ca_file: Path | None = None,
    own: OwnCertificate | None = None,
) -> dict[str, str]:
    """Waits until all services serve; returns the last answer of those that do not by then."""
    states = dict.fromkeys(targets, "UNKNOWN")

    async def wait_for(name: str) -> None:
        while (state := await health_of(targets[name], ca_file=ca_file, own=own)) != "SERVING":
            states[name] = state
            await asyncio.sleep(_POLL_SECONDS)
        del states[name]

    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for name in targets:
                group.create_task(wait_for(name))
    except TimeoutError:
        return states
    return {}
