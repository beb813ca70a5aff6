"""Channels to other services: calls carry token, ids and deadline, and fail in typed ways."""

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor

from laurel.common.v1 import policy_pb2
from laurel_common.auth.tokens import Tokens
from laurel_common.config import ServiceSettings
from laurel_common.deadline import outbound_timeout
from laurel_common.errors import RemoteError
from laurel_common.rpc.outgoing import StreamStream, StreamUnary, UnaryStream, UnaryUnary
from laurel_common.rpc.policy import rules_of
from laurel_common.rpc.transport import OwnCertificate, channel_credentials
from laurel_common.surroundings import current_trace
from laurel_common.tracing import REQUEST_ID_KEY, TRACEPARENT_KEY, TRACESTATE_KEY, Trace

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
# For a method that declares no time of its own.
_FALLBACK_SECONDS = 30.0


def connect(
    target: str,
    *,
    audience: str,
    tokens: Tokens,
    services: Sequence[ServiceDescriptor] = (),
    ca_file: Path | None = None,
    allow_insecure: bool = False,
    own_certificate: OwnCertificate | None = None,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
) -> grpc.aio.Channel:
    """A channel whose calls raise RemoteError; connects when first used. Called within the loop.

    `audience` is the called service's name. Methods of `services` that may be repeated are tried
    up to four times while the service is UNAVAILABLE. Raises ConfigError where the token would
    travel in the open.
    """
    credentials = channel_credentials(
        target, ca_file=ca_file, allow_insecure=allow_insecure, own=own_certificate
    )
    options = [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.enable_retries", 1),
        ("grpc.service_config", service_config(services)),
    ]
    outfit = _Outfit(audience, tokens).details
    interceptors: list[grpc.aio.ClientInterceptor] = [
        UnaryUnary(outfit),
        UnaryStream(outfit),
        StreamUnary(outfit),
        StreamStream(outfit),
    ]
    if credentials is None:
        return grpc.aio.insecure_channel(target, options, interceptors=interceptors)
    return grpc.aio.secure_channel(target, credentials, options, interceptors=interceptors)


def connect_peer(
    settings: ServiceSettings,
    peer: str,
    *,
    tokens: Tokens,
    services: Sequence[ServiceDescriptor] = (),
) -> grpc.aio.Channel:
    """A channel to another of the four services, as `settings` say where it is."""
    return connect(
        getattr(settings, f"{peer}_target"),
        audience=peer,
        tokens=tokens,
        services=services,
        ca_file=settings.tls_ca_file,
        allow_insecure=settings.allow_insecure_bind,
        own_certificate=_own_certificate(settings),
    )


def _own_certificate(settings: ServiceSettings) -> OwnCertificate | None:
    """What a service serves with is what it calls with."""
    certificate, key = settings.tls_certificate_file, settings.tls_key_file
    return None if certificate is None or key is None else (certificate, key)


def service_config(services: Sequence[ServiceDescriptor]) -> str:
    """gRPC's service config: repeats for the methods that bear it, with growing pauses."""
    names = [
        {"service": service, "method": method}
        for rule in rules_of(services).values()
        if rule.idempotent
        for service, _, method in [rule.name.partition("/")]
    ]
    policy = {
        "maxAttempts": 4,
        "initialBackoff": "0.1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return json.dumps({"methodConfig": [{"name": names, "retryPolicy": policy}] if names else []})


@lru_cache(maxsize=1024)
def default_timeout(path: str) -> float | None:
    """What the method at "/laurel.x.v1.Service/Method" declares, in seconds; None: no limit.

    A stream that declares none lasts until its caller ends it.
    """
    service, _, method = path[1:].partition("/")
    try:
        found: Any = descriptor_pool.Default().FindMethodByName(f"{service}.{method}")
    except KeyError:
        return _FALLBACK_SECONDS
    declared = found.GetOptions().Extensions[policy_pb2.policy].default_timeout_ms
    if declared > 0:
        return float(declared) / 1000
    return None if found.server_streaming or found.client_streaming else _FALLBACK_SECONDS


class _Outfit:
    """What every call is sent out with."""

    def __init__(self, audience: str, tokens: Tokens) -> None:
        self._audience = audience
        self._tokens = tokens

    def details(self, details: grpc.aio.ClientCallDetails) -> grpc.aio.ClientCallDetails:
        """`details` with token, ids and the time that the call may take."""
        method = details.method
        path = method.decode() if isinstance(method, bytes) else method
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        metadata["authorization"] = f"Bearer {self._tokens.token(self._audience)}"
        trace = current_trace() or Trace()
        metadata[REQUEST_ID_KEY] = trace.request_id
        metadata[TRACEPARENT_KEY] = trace.child_traceparent()
        if trace.tracestate:
            metadata[TRACESTATE_KEY] = trace.tracestate
        wanted = details.timeout if details.timeout is not None else default_timeout(path)
        timeout = outbound_timeout(wanted)
        if timeout is not None and timeout <= 0:
            # gRPC would send it with a millisecond to go.
            raise RemoteError("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "no time is left")
        return grpc.aio.ClientCallDetails(
            method,
            timeout,
            metadata,
            details.credentials,
            details.wait_for_ready,
        )
