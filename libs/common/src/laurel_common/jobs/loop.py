"""Something that is done again and again, and at once when woken."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)


class Loop:
    """Does its work every so many seconds in a task of its own, until stopped.

    The work is idempotent: what fails is logged and done again in its turn.
    """

    def __init__(
        self, name: str, work: Callable[[], Awaitable[object]], *, every_seconds: float
    ) -> None:
        self._name = name
        self._work = work
        self._every_seconds = every_seconds
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, with the first turn at once. Called within the running loop."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    def wake(self) -> None:
        """Has the work done now, or once more after the turn that is under way."""
        self._woken.set()

    async def stop(self) -> None:
        """Cuts off the turn that is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._work()
            except Exception as error:  # the next turn comes; this one must not be the last
                log.warning(
                    "turn_failed", loop=self._name, error=f"{type(error).__name__}: {error}"
                )
            try:
                async with asyncio.timeout(self._every_seconds):
                    await self._woken.wait()
            except TimeoutError:
                pass
