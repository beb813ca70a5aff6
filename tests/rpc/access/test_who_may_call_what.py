"""Every method of every service, called by everybody there is: who gets through, why others do
not, and what those who do may see.

The servicers behind the chain are stand-ins that tell what they were given: what is tried here is
what stands before them. The users are real: they signed in at the simulated GitHub, and identity
is asked about them as by the services themselves.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import grpc

from laurel.common.v1 import policy_pb2
from laurel_cli.stack.layout import SERVICES
from laurel_common.auth.access import Access
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken, mint
from laurel_common.clock import SystemClock
from laurel_common.errors import LaurelError, RemoteError
from laurel_common.rpc.policy import MethodRule, rules_of
from laurel_common.rpc.status import CODES
from laurel_common.surroundings import current_access
from laurel_common.testing.clock import FakeClock
from laurel_common.testing.server import RunningServer, ServerSettings, TestKeys, serving
from laurel_identity.rpc.users import LocalUsers
from laurel_sessions import IdentitySessions
from tests.rpc.access.callers import Caller, people
from tests.rpc.identity.signing_in import Door, door
from tests.support.contracts import MODULES
from tests.support.database import Database
from tests.support.requests import request_for

K = PrincipalKind


class Reached(LaurelError):
    """A servicer was called; the metadata tell what it knew."""

    reason = "REFERENCE_MISSING"


class StandIn:
    """A servicer whose every method says that it was reached, and what its caller may see."""

    def __getattr__(self, name: str) -> Any:
        async def behaviour(request: Any, _context: Any) -> Any:
            if hasattr(request, "__aiter__"):
                async for _ in request:
                    break
            raise Reached(metadata={"access": _written(current_access())})

        return behaviour


def _written(access: Access) -> str:
    readable = access.readable_repositories
    parts = [
        "admin" if access.is_admin else "-",
        sorted(access.hidden_repositories),
        sorted(access.hidden_teams),
        None if readable is None else sorted(readable),
    ]
    return " ".join(map(str, parts))


@dataclass
class Method:
    """A method with what its proto says of it."""

    context: str
    rule: MethodRule
    letters: frozenset[int]
    services: frozenset[str]
    call: Any
    streams: tuple[bool, bool]
    installation_id: int = 0
    requests: dict[int, Any] = field(default_factory=dict)


def expected(method: Method, caller: Caller) -> set[str]:
    """The outcomes that the permission table allows, from the proto and who calls alone."""
    letters = method.letters
    if caller.refusals:
        return set(caller.refusals)
    if caller.kind is K.USER:
        return _expected_of_user(method, caller)
    kinds = {
        K.SERVICE: policy_pb2.CALLER_SERVICE,
        K.BACKEND: policy_pb2.CALLER_BACKEND,
        K.GATEWAY: policy_pb2.CALLER_GATEWAY,
        K.OPERATOR: policy_pb2.CALLER_OPERATOR,
    }
    assert caller.kind is not None
    if kinds[caller.kind] not in letters:
        return {"CALLER_NOT_ALLOWED"}
    if caller.kind is K.SERVICE:
        by_name = caller.name in method.services
        by_key = not method.services and method.rule.name in caller.methods
        if not (by_name or by_key):
            return {"CALLER_NOT_ALLOWED"}
    names_one = bool(method.rule.installation_paths)
    covered = caller.installations is None or method.installation_id in caller.installations
    if names_one and not covered:
        return {"INSTALLATION_NOT_COVERED"}
    return {"admin [] [] None"}


def _expected_of_user(method: Method, caller: Caller) -> set[str]:
    user = policy_pb2.CALLER_USER in method.letters
    if not user and policy_pb2.CALLER_ADMIN not in method.letters:
        return {"CALLER_NOT_ALLOWED"}
    if not method.rule.installation_paths:
        # What spans installations is not told of any: each method looks for itself.
        return {"- [] [] []"} if user else {"CALLER_NOT_ALLOWED"}
    if caller.place == "stranger":
        return {"INSTALLATION_NOT_FOUND"}
    if not user and caller.place != "admin":
        return {"CALLER_NOT_ALLOWED"}
    if caller.place == "outside" and not method.rule.outside_collaborators:
        return {"CALLER_NOT_ALLOWED"}
    return {caller.sees}


async def outcome(method: Method, channel: grpc.aio.Channel) -> str:
    """What a call ends in: the reason of its refusal, or what the servicer was told."""
    rule, (requests, responses) = method.rule, method.streams
    make: Any = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }[requests, responses]
    request = method.requests[method.installation_id]
    call = make(rule.path, request_serializer=lambda each: each.SerializeToString())
    given = _once(request) if requests else request
    try:
        if responses:
            async for _ in call(given, timeout=30):
                pass
        else:
            await call(given, timeout=30)
    except RemoteError as error:
        if error.code != CODES[error.reason].name:
            return f"{error.code} with {error.reason}"
        reached = error.reason == Reached.reason
        return error.metadata["access"] if reached else error.reason
    return "answered"


async def _once(request: Any) -> AsyncIterator[Any]:
    yield request


@dataclass
class Everybody:
    """The four services behind their chains, and identity to ask about users."""

    door: Door
    servers: Mapping[str, RunningServer]
    methods: list[Method]
    callers: list[Caller]

    def channel(self, context: str, caller: Caller) -> grpc.aio.Channel:
        """A caller's channel to one of the services."""
        server = self.servers[context]
        if caller.kind in {None, K.USER}:
            return server.channel_with(StaticToken(caller.token))
        assert caller.kind is not None
        if caller.late:
            server.keys.add(caller.name, caller.kind)
            clock = FakeClock(SystemClock().now() - timedelta(hours=2))
            token = mint(
                server.keys.private_key(caller.name),
                issuer=caller.name,
                audience=context,
                lifetime=timedelta(seconds=60),
                clock=clock,
            )
            return server.channel_with(StaticToken(token))
        return server.channel(
            caller.kind,
            name=caller.name,
            methods=caller.methods,
            installations=None if caller.installations is None else sorted(caller.installations),
        )


def methods_in(installation_id: int) -> Mapping[str, list[tuple[Method, Any, Any]]]:
    """The methods of each context, each with its module and descriptor."""
    found: dict[str, list[tuple[Method, Any, Any]]] = {each: [] for each in SERVICES}
    for name in MODULES:
        module, stubs = import_module(f"{name}_pb2"), import_module(f"{name}_pb2_grpc")
        for service in module.DESCRIPTOR.services_by_name.values():
            for described in service.methods:
                rule = rules_of([service])[f"/{service.full_name}/{described.name}"]
                policy = described.GetOptions().Extensions[policy_pb2.policy]
                method = Method(
                    name.split(".")[1],
                    rule,
                    frozenset(policy.callers),
                    frozenset(policy.services),
                    None,
                    (described.client_streaming, described.server_streaming),
                    installation_id,
                    {installation_id: request_for(rule, installation_id)},
                )
                found[method.context].append((method, stubs, service))
    return found


@asynccontextmanager
async def everybody(
    database: Database, redis_url: str, directory: Path
) -> AsyncIterator[Everybody]:
    """All of it, running."""
    for each in ("identity", *(f"chain-{name}" for name in SERVICES)):
        (directory / each).mkdir()
    async with AsyncExitStack() as stack:
        front = await stack.enter_async_context(door(database, redis_url, directory / "identity"))
        installation_id, callers = await people(front)
        servers, methods = {}, []
        for context, described in methods_in(installation_id).items():
            methods += [method for method, _, _ in described]
            servers[context] = await stack.enter_async_context(
                chain(context, described, front, directory / f"chain-{context}")
            )
        yield Everybody(front, servers, methods, callers)


@asynccontextmanager
async def chain(
    context: str, described: list[tuple[Method, Any, Any]], front: Door, directory: Path
) -> AsyncIterator[RunningServer]:
    """One service's chain before a stand-in."""

    class Settings(ServerSettings):
        service_name: ClassVar[str] = context

    users: LocalUsers | IdentitySessions
    if context == "identity":
        users = front.identity.built.sessions.users
    else:
        users = IdentitySessions(front.identity.server.channel(K.SERVICE, name=context))
    registered = {
        service.full_name: (
            getattr(stubs, f"add_{service.name}Servicer_to_server"),
            StandIn(),
            service,
        )
        for _, stubs, service in described
    }
    keys = TestKeys(directory)
    keys.key_file.unlink()
    settings = Settings.model_validate(
        {
            "database_url": "postgresql://nobody@localhost:1/none",
            "redis_url": "redis://localhost:1",
            "trust_file": keys.trust_file,
            "key_file": keys.key_file,
        }
    )
    async with serving(
        list(registered.values()), directory, settings=settings, sessions=users, access=users
    ) as server:
        yield server


async def test_everybody_gets_what_the_table_gives_them(
    database: Database, redis_url: str, tmp_path: Path
) -> None:
    wrong, tried = [], 0
    async with everybody(database, redis_url, tmp_path) as all_of_them:
        for caller in all_of_them.callers:
            channels = {
                context: all_of_them.channel(context, caller) for context in all_of_them.servers
            }
            for method in all_of_them.methods:
                found = await outcome(method, channels[method.context])
                tried += 1
                if found not in expected(method, caller):
                    wrong.append((caller.name, method.rule.name, found))
    assert wrong == []
    assert tried >= 50 * 19


def test_what_admins_alone_may_do_names_the_installation() -> None:
    """Otherwise nobody could be told to be its admin, and only operators could call it."""
    nameless = [
        method.rule.name
        for described in methods_in(1).values()
        for method, _, _ in described
        if method.rule.admins_only and not method.rule.installation_paths
    ]
    assert not nameless
