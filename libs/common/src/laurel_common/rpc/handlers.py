"""The methods that a server has, by path."""

from collections.abc import Mapping, Sequence
from typing import Any


class Handlers:
    """Takes what generated `add_…_to_server` functions give to a server, and keeps it.

    A server is not given methods one by one: grpc.aio waits for the next call of each registered
    method and goes through all of those waits with every call, which costs a read a fifth of its
    rate where a service has twenty methods. One handler that finds the method costs a look-up.
    """

    def __init__(self) -> None:
        self.by_path: dict[str, Any] = {}

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        """Nothing: the same methods come by their names."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Keeps the methods of a service."""
        for method, handler in handlers.items():
            self.by_path[f"/{service}/{method}"] = handler
