"""Every method that the protos have, so that a new one is tried by the tests that walk them."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor

from laurel.common.v1 import policy_pb2
from laurel_common.rpc.policy import MethodRule, rules_of
from tools.genproto import PROTO

MODULES = sorted(
    ".".join(path.relative_to(PROTO).with_suffix("").parts)
    for path in (PROTO / "laurel").rglob("*.proto")
    if "\nservice " in path.read_text()
)


@dataclass(frozen=True)
class DeclaredMethod:
    """A method with what its proto says of it; `context` is the service that has it."""

    context: str
    service: ServiceDescriptor
    rule: MethodRule
    policy: policy_pb2.MethodPolicy
    takes_stream: bool
    gives_stream: bool
    response_type: Any

    @property
    def name(self) -> str:
        """Service and method, without the package."""
        return self.rule.name.rpartition(".")[2]

    def __hash__(self) -> int:
        return hash(self.rule.path)


def declared_methods() -> list[DeclaredMethod]:
    """All of them, in the order of their protos."""
    return [method for name in MODULES for method in _declared_in(name)]


def _declared_in(module: str) -> Iterator[DeclaredMethod]:
    for service in import_module(f"{module}_pb2").DESCRIPTOR.services_by_name.values():
        rules = rules_of([service])
        for method in service.methods:
            yield DeclaredMethod(
                module.split(".")[1],
                service,
                rules[f"/{service.full_name}/{method.name}"],
                method.GetOptions().Extensions[policy_pb2.policy],
                method.client_streaming,
                method.server_streaming,
                method.output_type,
            )
