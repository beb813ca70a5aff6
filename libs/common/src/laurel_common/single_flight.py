"""Work that many callers want at the same moment is done once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from laurel_common.deadline import set_deadline
from laurel_common.errors import DeadlineExceeded

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """Runs one piece of work per key at a time; whoever asks meanwhile waits for the same one.

    The work has a deadline of its own: a caller that gives up takes nothing from the others. Work
    that outlasts it ends in DeadlineExceeded.
    """

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[K, asyncio.Task[V]] = {}

    def start(self, key: K, work: Callable[[], Awaitable[V]]) -> "asyncio.Task[V]":
        """The work under way for `key`, begun now if there is none."""
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._bounded(work))
            self._running[key] = task
            task.add_done_callback(lambda done: self._land(key, done))
        return task

    async def run(self, key: K, work: Callable[[], Awaitable[V]]) -> V:
        """What the work for `key` comes to."""
        return await asyncio.shield(self.start(key, work))

    async def close(self) -> None:
        """Ends what is under way."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _bounded(self, work: Callable[[], Awaitable[V]]) -> V:
        # A task has a context of its own: this limits the work, not the caller.
        set_deadline(self._seconds)
        try:
            async with asyncio.timeout(self._seconds):
                return await work()
        except TimeoutError as error:
            raise DeadlineExceeded from error

    def _land(self, key: K, task: "asyncio.Task[V]") -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            # Those who wait are told; work that nobody waits for may fail in silence.
            task.exception()
