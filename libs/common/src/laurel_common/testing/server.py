"""Servicers in this process, on a port of their own, called by any kind of principal."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from laurel_common.auth.keys import generate_private_key
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import Tokens, TokenSource
from laurel_common.auth.trust import TrustDirectory, TrustedKey, format_trust_file
from laurel_common.clock import Clock, SystemClock
from laurel_common.config import ServiceSettings
from laurel_common.rpc.client import connect
from laurel_common.rpc.health import HealthCheck
from laurel_common.rpc.server import RpcServer, Servicer, build_server


class ServerSettings(ServiceSettings):
    """Settings of a service called "test"."""

    service_name: ClassVar[str] = "test"


class TestKeys:
    """Key pairs and the trust directory that lists them, below `directory`."""

    __test__ = False

    def __init__(self, directory: Path, *, clock: Clock | None = None) -> None:
        self.trust_file = directory / "trust.toml"
        self.key_file = directory / "test.key"
        self.clock = clock or SystemClock()
        self._entries: list[TrustedKey] = []
        self._private: dict[str, Ed25519PrivateKey] = {}
        generate_private_key(self.key_file)
        self._write()

    def add(
        self,
        name: str,
        kind: PrincipalKind,
        *,
        methods: Sequence[str] = ("*",),
        installations: Sequence[int] | None = None,
    ) -> TokenSource:
        """Makes a key, lists it, and returns what mints its tokens."""
        key = self._private.setdefault(name, Ed25519PrivateKey.generate())
        reach = None if installations is None else frozenset(installations)
        self._entries.append(TrustedKey(name, kind, key.public_key(), tuple(methods), reach))
        self._write()
        return TokenSource(name, key, clock=self.clock)

    def private_key(self, name: str) -> Ed25519PrivateKey:
        """The private key of an entry."""
        return self._private[name]

    def trust(self) -> TrustDirectory:
        """The directory as it stands."""
        return TrustDirectory(self.trust_file)

    def _write(self) -> None:
        self.trust_file.write_text(format_trust_file(self._entries))


class RunningServer:
    """A server that serves, and channels to it."""

    def __init__(self, server: RpcServer, keys: TestKeys) -> None:
        self.server = server
        self.keys = keys
        self.target = f"localhost:{server.port}"
        self._channels: list[grpc.aio.Channel] = []

    def channel(
        self,
        kind: PrincipalKind = PrincipalKind.OPERATOR,
        *,
        name: str | None = None,
        installations: Sequence[int] | None = None,
        methods: Sequence[str] = ("*",),
    ) -> grpc.aio.Channel:
        """A typed channel of a new caller of this kind, named after the kind unless told."""
        tokens = self.keys.add(
            name or kind.value, kind, methods=methods, installations=installations
        )
        # The file was just written; a running server would look at it within a second.
        return self.channel_with(tokens)

    def channel_with(self, tokens: Tokens) -> grpc.aio.Channel:
        """A typed channel that sends these tokens."""
        audience = self.server.settings.service_name
        channel = connect(self.target, audience=audience, tokens=tokens)
        self._channels.append(channel)
        return channel

    def bare_channel(self) -> grpc.aio.Channel:
        """A channel without interceptors: what a stranger has."""
        channel = grpc.aio.insecure_channel(self.target)
        self._channels.append(channel)
        return channel

    async def close(self) -> None:
        """Closes the channels and stops the server at once."""
        for channel in self._channels:
            await channel.close()
        await self.server.stop(drain=0, grace=0)


@asynccontextmanager
async def serving(
    servicers: Sequence[Servicer],
    directory: Path,
    *,
    settings: ServiceSettings | None = None,
    health_checks: Sequence[HealthCheck] = (),
    clock: Clock | None = None,
    listen: str = "localhost:0",
    **options: Any,
) -> AsyncIterator[RunningServer]:
    """Serves `servicers` on an ephemeral port of loopback through the whole chain.

    `directory` receives the keys; `settings` is for services with settings of their own: its
    trust file is replaced by the test's. Further options go to `build_server`.
    """
    keys = TestKeys(directory, clock=clock)
    changes = {"listen": listen, "trust_file": keys.trust_file, "metrics_listen": None}
    used = (settings or default_settings(keys)).replaced(**changes)
    trust = TrustDirectory(keys.trust_file, recheck_seconds=0)
    server = build_server(
        used, servicers, health_checks=health_checks, clock=clock, trust=trust, **options
    )
    await server.start()
    running = RunningServer(server, keys)
    try:
        await server.health.check()
        yield running
    finally:
        await running.close()


def default_settings(keys: TestKeys, **changes: Any) -> ServerSettings:
    """Settings that name no database, with `changes`."""
    values = {
        "database_url": "postgresql://nobody@localhost:1/none",
        "redis_url": "redis://localhost:1",
        "trust_file": keys.trust_file,
        "key_file": keys.key_file,
    }
    return ServerSettings.model_validate(values | changes)
