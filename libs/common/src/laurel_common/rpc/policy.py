"""What each method declares about itself in its proto: who may call it, for how long it runs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from operator import attrgetter
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from laurel.common.v1 import policy_pb2
from laurel_common.auth.principal import Principal, PrincipalKind

_KINDS = {
    policy_pb2.CALLER_USER: PrincipalKind.USER,
    # Whether a user is an admin depends on the installation: the access step asks.
    policy_pb2.CALLER_ADMIN: PrincipalKind.USER,
    policy_pb2.CALLER_SERVICE: PrincipalKind.SERVICE,
    policy_pb2.CALLER_BACKEND: PrincipalKind.BACKEND,
    policy_pb2.CALLER_GATEWAY: PrincipalKind.GATEWAY,
    policy_pb2.CALLER_OPERATOR: PrincipalKind.OPERATOR,
}
_IDEMPOTENT = (
    descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS,
    descriptor_pb2.MethodOptions.IDEMPOTENT,
)


@dataclass(frozen=True, slots=True)
class MethodRule:
    """One method as the chain knows it.

    `path` is "/laurel.x.v1.Service/Method", `name` the same without the slash. No `callers` means
    that nobody may call it, unless it is `public`. `timeout` is what clients allow by default, in
    seconds. `installation_paths` are the places where a request names an installation.
    `admins_only`: of users, the admins of that installation alone; `outside_collaborators`: also
    users who are no members of its account; `endless`: a stream for those who wait for news.
    """

    path: str
    callers: frozenset[PrincipalKind] = frozenset()
    services: frozenset[str] = frozenset()
    timeout: float | None = None
    mutation: bool = False
    idempotent: bool = False
    public: bool = False
    admins_only: bool = False
    outside_collaborators: bool = False
    infrastructure: bool = False
    endless: bool = False
    request_type: type[Message] | None = None
    installation_paths: tuple[tuple[str, ...], ...] = ()
    # The installations that a message names, unset ones left out.
    installations_in: Callable[[Any], Sequence[int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Made of the paths once: users' calls ask each time.
        reader = _reader_of(self.installation_paths)
        object.__setattr__(self, "installations_in", reader)

    @property
    def name(self) -> str:
        """The method as globs are written: "laurel.x.v1.Service/Method"."""
        return self.path[1:]

    def allows(self, principal: Principal) -> bool:
        """Whether this caller may use the method at all."""
        if principal.kind not in self.callers:
            return False
        if principal.kind is PrincipalKind.USER:
            return True
        named = principal.kind is PrincipalKind.SERVICE and self.services
        if named and principal.name not in self.services:
            return False
        return _matches(principal.methods, self.name)


def _reader_of(paths: Sequence[Sequence[str]]) -> Callable[[Any], Sequence[int]]:
    """What reads the set ones of these fields; almost all requests have one."""
    readers = [attrgetter(".".join(path)) for path in paths]
    if len(readers) != 1:
        return lambda message: [named for read in readers if (named := read(message))]
    (read,) = readers

    def read_one(message: Any) -> Sequence[int]:
        named = read(message)
        return (named,) if named else ()

    return read_one


@lru_cache(maxsize=4096)
def _matches(globs: tuple[str, ...], name: str) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def rules_of(services: Iterable[ServiceDescriptor]) -> dict[str, MethodRule]:
    """The rules of all methods of `services`, by path."""
    rules = (_rule(service, method) for service in services for method in service.methods)
    return {rule.path: rule for rule in rules}


def _rule(service: ServiceDescriptor, method: Any) -> MethodRule:
    options = method.GetOptions()
    policy = options.Extensions[policy_pb2.policy]
    return MethodRule(
        path=f"/{service.full_name}/{method.name}",
        callers=frozenset(_KINDS[each] for each in policy.callers if each in _KINDS),
        services=frozenset(policy.services),
        timeout=policy.default_timeout_ms / 1000 if policy.default_timeout_ms > 0 else None,
        mutation=policy.mutation,
        idempotent=not policy.mutation or options.idempotency_level in _IDEMPOTENT,
        request_type=GetMessageClass(method.input_type),
        installation_paths=_installation_paths(method.input_type),
        admins_only=policy_pb2.CALLER_ADMIN in policy.callers
        and policy_pb2.CALLER_USER not in policy.callers,
        outside_collaborators=policy.outside_collaborators,
        endless=method.server_streaming and method.name.startswith("Watch"),
    )


def _installation_paths(request: Descriptor) -> tuple[tuple[str, ...], ...]:
    """Where a request names its installation: at its top, or in a message directly below."""
    field = "installation_id"
    if field in request.fields_by_name:
        return ((field,),)
    return tuple(
        (outer.name, field)
        for outer in request.fields
        if outer.type == FieldDescriptor.TYPE_MESSAGE
        and not outer.is_repeated
        and outer.message_type is not None
        and field in outer.message_type.fields_by_name
    )
