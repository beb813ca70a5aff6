"""What a thread does on one connection of ADBC's, ended with whoever waits for it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, ParamSpec, TypeVar

import adbc_driver_postgresql.dbapi as adbc

P = ParamSpec("P")
T = TypeVar("T")

# A statement may begin just after the one before it was cancelled.
_AGAIN_SECONDS: Final = 0.1
# Of their own: all others may be taken by the statements that are to be ended.
_ENDING: Final = ThreadPoolExecutor(2, thread_name_prefix="laurel-cancel")


class StatementThread:
    """Runs what blocks on a cursor, one piece at a time.

    Whoever is cancelled while waiting has the statement cancelled, and goes when the thread is
    through: until then nobody else may touch the connection, closing it included.
    """

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` answers."""
        return await self.outcome(self.start(work, *args, **kwargs))

    def start(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
        """Begins `work`; its `outcome`, or its `end`, has to be awaited."""
        return asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))

    async def outcome(self, started: "asyncio.Future[T]") -> T:
        """What started work answers."""
        try:
            return await asyncio.shield(started)
        except asyncio.CancelledError:
            await self.end(started)
            raise

    async def end(self, started: "asyncio.Future[T]") -> None:
        """Ends started work that nobody wants any more. However often it is cancelled meanwhile."""
        ending = asyncio.ensure_future(self._end(started))
        while not ending.done():
            with suppress(asyncio.CancelledError):
                await asyncio.shield(ending)

    async def _end(self, started: "asyncio.Future[T]") -> None:
        loop = asyncio.get_running_loop()
        while not started.done():
            with suppress(adbc.Error):
                await loop.run_in_executor(_ENDING, self._cursor.adbc_cancel)
            await asyncio.wait([started], timeout=_AGAIN_SECONDS)
        if not started.cancelled():
            started.exception()  # looked at: nobody is told
