"""The use case ForgetInstallation: nothing is kept of what is about to be erased."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from laurel_ingest.application.turns import Turn


class InstallationTraces(Protocol):
    """What is kept of installations."""

    def forget(self, installation_id: int) -> AsyncGenerator[int]:
        """Deletes it, so many rows with each step; each step is committed. At the end of the last
        one nothing is left. Raises DatabaseUnavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What one call came to."""

    forgotten_count: int
    is_complete: bool


class ForgetInstallation:
    """Goes on where an earlier call ended, however it did."""

    # Of one call.
    turn = Turn()

    def __init__(self, traces: InstallationTraces) -> None:
        self._traces = traces

    async def __call__(self, installation_id: int) -> Forgotten:
        """Forgets for a while."""
        return Forgotten(*await self.turn.take(self._traces.forget(installation_id)))
