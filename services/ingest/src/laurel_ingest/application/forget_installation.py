"""The use case ForgetInstallation: nothing is kept of what is about to be erased."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

# Of one call; the caller's patience is longer than that and a slice.
SECONDS_A_CALL = 20.0


class InstallationTraces(Protocol):
    """What is kept of installations."""

    def forget(self, installation_id: int) -> AsyncIterator[int]:
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

    def __init__(
        self,
        traces: InstallationTraces,
        *,
        seconds: float = SECONDS_A_CALL,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._traces = traces
        self._seconds = seconds
        self._timer = timer

    async def __call__(self, installation_id: int) -> Forgotten:
        """Forgets for a while."""
        until, forgotten = self._timer() + self._seconds, 0
        async for count in self._traces.forget(installation_id):
            forgotten += count
            if self._timer() >= until:
                return Forgotten(forgotten, is_complete=False)
        return Forgotten(forgotten, is_complete=True)
