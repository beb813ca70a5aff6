"""Builds a service's server, starts it, and stops it without losing a call in flight."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
import structlog
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc
from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR, CollectorRegistry

from laurel_common.auth.access import AccessResolver
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.sessions import SessionResolver
from laurel_common.auth.trust import TrustDirectory
from laurel_common.auth.verifier import TokenVerifier
from laurel_common.clock import Clock, SystemClock
from laurel_common.config import ConfigError, ServiceSettings
from laurel_common.metrics import CheckMetrics, MetricsEndpoint, RpcMetrics
from laurel_common.rpc.chain import Chain, steps_in_order
from laurel_common.rpc.handlers import Handlers
from laurel_common.rpc.health import Health, HealthCheck
from laurel_common.rpc.interceptors.access import RECHECK_SECONDS, AccessStep, AccessWatchStep
from laurel_common.rpc.interceptors.access_log import AccessLogStep
from laurel_common.rpc.interceptors.admission import AdmissionStep
from laurel_common.rpc.interceptors.auth import AuthStep
from laurel_common.rpc.interceptors.endless import EndlessStep
from laurel_common.rpc.interceptors.validation import ValidationStep
from laurel_common.rpc.policy import MethodRule, rules_of
from laurel_common.rpc.transport import is_loopback, server_credentials

log = structlog.get_logger(__name__)

# The generated add_XServicer_to_server, the servicer, and the service's descriptor.
Servicer = tuple[Callable[[Any, Any], None], Any, ServiceDescriptor]
Closer = Callable[[], Awaitable[object]]

# Longer than any caller's deadline at the busiest that a service is made for; some 15 kB each.
_MOST_WAITING: Final = 10_000


@dataclass(slots=True)
class RpcServer:
    """A server that is ready to start; `draining` is set when it begins to stop, and ends all
    streams that would last (Watch…).
    """

    settings: ServiceSettings
    server: grpc.aio.Server
    health: Health
    credentials: grpc.ServerCredentials | None
    metrics: RpcMetrics
    registry: CollectorRegistry
    endless: EndlessStep
    closers: Sequence[Closer] = ()
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    _endpoint: MetricsEndpoint | None = None

    async def start(self) -> None:
        """Binds and answers; SERVING as soon as the checks hold. Raises ConfigError where the
        address can't be had.
        """
        listen = self.settings.listen
        try:
            if self.credentials is None:
                self.port = self.server.add_insecure_port(listen)
            else:
                self.port = self.server.add_secure_port(listen, self.credentials)
        except RuntimeError:
            raise ConfigError([f"LAUREL_LISTEN: {listen} can't be bound: is it in use?"]) from None
        if self.settings.metrics_listen is not None:
            self._endpoint = _metrics_endpoint(self.settings.metrics_listen, self.registry)
        await self.server.start()
        self.health.watch()
        log.info("listening", address=listen, port=self.port, tls=self.credentials is not None)

    async def stop(self, *, drain: float | None = None, grace: float | None = None) -> None:
        """Stops in the order that loses nothing.

        NOT_SERVING is told, `drain` seconds are left for balancers to hear it, then new calls are
        refused and those in flight have `grace` seconds to end; pools are closed after that.
        """
        await self.drain()
        await asyncio.sleep(self.settings.drain_seconds if drain is None else drain)
        await self.server.stop(self.settings.stop_grace_seconds if grace is None else grace)
        await self.close()
        log.info("stopped")

    async def drain(self) -> None:
        """Tells NOT_SERVING and ends the streams that last; other calls are served all the same."""
        self.draining.set()
        self.endless.stop()
        await self.health.stop()

    async def close(self) -> None:
        """Closes the pools: after the last call, or where there will be none."""
        for close in reversed(self.closers):
            try:
                await close()
            except Exception:  # one pool that won't close must not keep the others open
                log.exception("close_failed")
        if self._endpoint is not None:
            await asyncio.to_thread(self._endpoint.close)


def build_server(
    settings: ServiceSettings,
    servicers: Sequence[Servicer],
    *,
    health_checks: Sequence[HealthCheck] = (),
    sessions: SessionResolver | None = None,
    access: AccessResolver | None = None,
    recheck_seconds: float = RECHECK_SECONDS,
    closers: Sequence[Closer] = (),
    clock: Clock | None = None,
    trust: TrustDirectory | None = None,
    registry: CollectorRegistry | None = None,
) -> RpcServer:
    """Puts a server together; nothing is bound yet. Called within the running loop.

    `sessions` resolves users' tokens and `access` what they may see, on streams again after
    `recheck_seconds`; `closers` are awaited in reverse order after the last call.
    Raises ConfigError for transport settings, and TrustFileError for the directory of keys.
    """
    credentials = server_credentials(settings)
    descriptors = [descriptor for _, _, descriptor in servicers]
    rules = rules_of(descriptors)
    metrics = RpcMetrics()
    registry = registry or _registry(metrics)
    admission = AdmissionStep(
        calls=settings.max_concurrent_calls, streams=settings.max_concurrent_streams
    )
    endless = EndlessStep(metrics, patience=settings.watcher_patience_seconds)
    verifier = TokenVerifier(
        trust or TrustDirectory(settings.trust_file),
        audience=settings.service_name,
        clock=clock or SystemClock(),
    )
    names = [descriptor.full_name for descriptor in descriptors]
    watch = Health(
        names,
        health_checks,
        interval=settings.health_interval_seconds,
        on_ready=lambda: setattr(admission, "open", True),
    )
    access_step = AccessStep(access)
    chain = Chain(
        steps_in_order(
            access_log=AccessLogStep(
                metrics, sample=settings.access_log_sample, slow=settings.slow_call_ms / 1000
            ),
            admission=admission,
            endless=endless,
            auth=AuthStep(verifier, sessions),
            validation=ValidationStep(rules.values()),
            access=access_step,
            watch=AccessWatchStep(access_step, sessions, seconds=recheck_seconds),
        ),
        rules | _infrastructure_rules(open_reflection=is_loopback(settings.listen)),
        _handlers(servicers, watch.servicer, names),
        max_message_bytes=settings.max_message_bytes,
    )
    server = grpc.aio.server(options=server_options(settings))
    server.add_generic_rpc_handlers((chain,))
    registry.register(CheckMetrics(watch.states))
    return RpcServer(settings, server, watch, credentials, metrics, registry, endless, closers)


def _handlers(
    servicers: Sequence[Servicer], health_servicer: Any, names: Sequence[str]
) -> dict[str, Any]:
    """The methods of the servicers, of health and of reflection."""
    handlers = Handlers()
    for add, servicer, _ in servicers:
        add(servicer, handlers)
    listed = [*names, health.SERVICE_NAME, reflection.SERVICE_NAME]
    ready_made: tuple[tuple[Callable[[Any, Any], None], Any], ...] = (
        (health_pb2_grpc.add_HealthServicer_to_server, health_servicer),
        (
            reflection_pb2_grpc.add_ServerReflectionServicer_to_server,
            reflection.aio.ReflectionServicer(listed),
        ),
    )
    for add, servicer in ready_made:
        add(servicer, handlers)
    return handlers.by_path


def server_options(settings: ServiceSettings) -> list[tuple[str, Any]]:
    """gRPC's own settings."""
    admitted = settings.max_concurrent_calls + settings.max_concurrent_streams
    waiting = max(_MOST_WAITING, 2 * admitted)
    options: list[tuple[str, Any]] = [
        # On by default, a second server on the port would bind in silence.
        ("grpc.so_reuseport", int(settings.reuse_port)),
        # The chain refuses what is larger than the limit, with details; this is only what
        # protects memory before a message is there to be measured.
        ("grpc.max_receive_message_length", 2 * settings.max_message_bytes),
        ("grpc.max_send_message_length", -1),
        # While the event loop is busy, calls wait to be taken. Of more than 1,000 gRPC would answer
        # some with CANCELLED and not another word, which a caller takes for its own doing. The
        # admission step turns the same calls away, and says when to come again.
        ("grpc.server.max_pending_requests", waiting),
        ("grpc.server.max_pending_requests_hard_limit", 2 * waiting),
        # Fewer and larger writes where many answers are on their way: 4 % of a cached read's rate.
        ("grpc.optimization_target", "throughput"),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
    if settings.max_connection_age_seconds is not None:
        # Processes that share a port balance only as connections are made anew.
        age = int(settings.max_connection_age_seconds * 1000)
        # Calls that run on an old connection run on to their end: an export may take minutes, a
        # watch lasts.
        options.append(("grpc.max_connection_age_ms", age))
    return options


def _infrastructure_rules(*, open_reflection: bool) -> dict[str, MethodRule]:
    """Health is for everybody; reflection too on loopback, elsewhere for operators."""
    checks = [f"/{health.SERVICE_NAME}/{method}" for method in ("Check", "List", "Watch")]
    rules = [MethodRule(path=path, public=True, infrastructure=True) for path in checks]
    rules.append(
        MethodRule(
            path=f"/{reflection.SERVICE_NAME}/ServerReflectionInfo",
            public=open_reflection,
            callers=frozenset({PrincipalKind.OPERATOR}),
            infrastructure=True,
        )
    )
    return {rule.path: rule for rule in rules}


def _registry(metrics: RpcMetrics) -> CollectorRegistry:
    registry = CollectorRegistry()
    for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR, metrics):
        registry.register(collector)
    return registry


def _metrics_endpoint(listen: str, registry: CollectorRegistry) -> MetricsEndpoint:
    try:
        return MetricsEndpoint(listen, registry)
    except OSError as error:
        raise ConfigError([f"LAUREL_METRICS_LISTEN: {listen}: {error.strerror}"]) from None
