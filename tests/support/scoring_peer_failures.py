"""Errors that a scripted peer answers with."""

from dataclasses import dataclass, field
from typing import Any

from grpc_status import rpc_status

from laurel_common.errors import LaurelError
from laurel_common.rpc.status import to_status


@dataclass
class Failures:
    """Errors to answer with instead, by method, one after the other."""

    queued: dict[str, list[LaurelError]] = field(default_factory=dict)

    def next(self, method: str, *errors: LaurelError) -> None:
        """The next calls of `method` end in these errors."""
        self.queued.setdefault(method, []).extend(errors)

    async def check(self, method: str, context: Any) -> None:
        """Ends the call if its turn has come."""
        if waiting := self.queued.get(method):
            error = waiting.pop(0)
            await context.abort_with_status(rpc_status.to_status(to_status(error, "")))
