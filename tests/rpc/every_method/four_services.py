"""The four services as they are, over whatever database they are given, called by their protos."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc

from laurel.common.v1 import policy_pb2
from laurel_cli.stack.layout import SERVICES
from laurel_common.auth.access import Access
from laurel_common.auth.keys import generate_private_key
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import RemoteError
from laurel_common.testing.server import RunningServer, serving
from tests.support.contracts import DeclaredMethod
from tests.support.users import TOKEN, SignedIn

_KINDS = {
    policy_pb2.CALLER_OPERATOR: PrincipalKind.OPERATOR,
    policy_pb2.CALLER_SERVICE: PrincipalKind.SERVICE,
    policy_pb2.CALLER_BACKEND: PrincipalKind.BACKEND,
    policy_pb2.CALLER_GATEWAY: PrincipalKind.GATEWAY,
}
# Nobody listens there.
NOWHERE = "127.0.0.1:1"


@dataclass
class FourServices:
    """They run; `channel` is one of somebody whom a method is for."""

    servers: Mapping[str, RunningServer]
    inner: Mapping[str, Any]

    def channel(self, method: DeclaredMethod) -> grpc.aio.Channel:
        """Of an operator's where an operator may call, else of the next best."""
        server = self.servers[method.context]
        for letter, kind in _KINDS.items():
            if letter in method.policy.callers:
                name = method.policy.services[0] if method.policy.services else "ingest"
                return server.channel(kind, name=name if kind is PrincipalKind.SERVICE else None)
        return server.channel_with(StaticToken(TOKEN))

    async def call(self, method: DeclaredMethod, *requests: Any) -> RemoteError | None:
        """What the method refuses a request, or those of a stream, with, if it does."""
        channel = self.channel(method)
        make: Any = {
            (False, False): channel.unary_unary,
            (False, True): channel.unary_stream,
            (True, False): channel.stream_unary,
            (True, True): channel.stream_stream,
        }[method.takes_stream, method.gives_stream]
        raws = [each if isinstance(each, bytes) else each.SerializeToString() for each in requests]
        call = make(method.rule.path, request_serializer=None)
        given = iter(raws) if method.takes_stream else raws[0]
        try:
            if method.gives_stream:
                async for _ in call(given, timeout=20):
                    pass
            else:
                await call(given, timeout=20)
        except RemoteError as error:
            return error
        return None


@asynccontextmanager
async def four_services(
    database_url: Callable[[str], str],
    redis_url: str,
    directory: Path,
    more: Mapping[str, Mapping[str, Any]] | None = None,
    ports: Mapping[str, Mapping[str, Any]] | None = None,
) -> AsyncIterator[FourServices]:
    """Each as its own role (`database_url` says where), none of which reaches another. `more` are
    settings and `ports` what `build` is given, by service.
    """
    user = SignedIn()
    user.access_of_user = replace(Access.full(), is_admin=True)
    async with AsyncExitStack() as stack:
        servers, inner = dict[str, RunningServer](), dict[str, Any]()
        for name in SERVICES:
            place = directory / name
            place.mkdir()
            key_file = place / f"{name}.key"
            generate_private_key(key_file)
            settings = _settings_type(name).model_validate(
                {
                    "database_url": database_url(f"laurel_{name}"),
                    "redis_url": redis_url,
                    "trust_file": place / "trust.toml",
                    "key_file": key_file,
                    **{f"{each}_target": NOWHERE for each in SERVICES},
                    **(more or {}).get(name, {}),
                }
            )
            build = import_module(f"laurel_{name}.bootstrap").build
            built = inner[name] = build(settings, **(ports or {}).get(name, {}))
            for close in built.closers:
                stack.push_async_callback(close)
            servers[name] = await stack.enter_async_context(
                serving(built.servicers, place, settings=settings, sessions=user, access=user)
            )
        yield FourServices(servers, inner)


def _settings_type(name: str) -> Any:
    return getattr(import_module(f"laurel_{name}.config"), f"{name.capitalize()}Settings")
