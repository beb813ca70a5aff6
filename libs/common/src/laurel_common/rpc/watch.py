"""Watches over a long call: what it stood on is asked for again, and it ends with the answer."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress


class Watch:
    """Calls `check` every so many seconds; when that raises, the task that made the watch is
    cancelled, and `end` gives the error that it ended with.
    """

    def __init__(self, check: Callable[[], Awaitable[None]], *, every: float) -> None:
        self._check = check
        self._every = every
        self._found: Exception | None = None
        self._watched = asyncio.current_task()
        self._task = asyncio.create_task(self._run(), name="laurel-watch")

    def end(self, error: BaseException | None) -> BaseException | None:
        """Stops checking. What the call really ended with, of what it seemed to."""
        self._task.cancel()
        if self._found is None or not isinstance(error, asyncio.CancelledError):
            return error
        if self._watched is not None:
            self._watched.uncancel()
        return self._found

    async def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(self._every)
                try:
                    await self._check()
                except Exception as found:  # whatever it is, the call must not outlive it
                    self._found = found
                    if self._watched is not None:
                        self._watched.cancel()
                    return
