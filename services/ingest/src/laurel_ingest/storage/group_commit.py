"""Many small writes at once in one transaction: who comes while one commits joins the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

from laurel_common.errors import DatabaseUnavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class GroupCommit(Generic[Item, Answer]):
    """Writes items by `write`, which answers one for each in their order, committed.

    A lone item is written at once. Where writing a group fails, each of it is tried by itself, so
    that nobody pays for what a neighbour brought.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        *,
        size: Callable[[Item], int],
        most_items: int,
        most_bytes: int,
    ) -> None:
        self._write = write
        self._size = size
        self._most_items = most_items
        self._most_bytes = most_bytes
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Answer:
        """What `write` answers for the item; raises what it raises."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._writer is None or self._writer.done():
            # Of nobody's call: one caller's deadline must not end what others wait for.
            self._writer = asyncio.create_task(self._drain(), context=Context())
        return await future

    async def _drain(self) -> None:
        group: list[tuple[Item, asyncio.Future[Answer]]] = []
        try:
            while self._waiting:
                group = self._take()
                error = await self._try(group)
                if error is not None and len(group) == 1:
                    _fail(group[0][1], error)
                elif error is not None:
                    await self._one_by_one(group)
        finally:
            # Where the writer was ended, nobody may go on waiting for it.
            left, self._waiting = [*group, *self._waiting], []
            for _, future in left:
                _fail(future, DatabaseUnavailable())

    async def _one_by_one(self, group: Sequence[tuple[Item, "asyncio.Future[Answer]"]]) -> None:
        for each in group:
            error = await self._try([each])
            if error is not None:
                _fail(each[1], error)

    async def _try(
        self, group: Sequence[tuple[Item, "asyncio.Future[Answer]"]]
    ) -> Exception | None:
        """Writes a group and tells its callers; answers what it failed with."""
        try:
            answers = await self._write([item for item, _ in group])
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            # Of something inside, not of this writer: its callers have cancelled nothing.
            return DatabaseUnavailable()
        except Exception as error:  # whatever it is, it is its callers'
            return error
        for (_, future), answer in zip(group, answers, strict=True):
            if not future.done():
                future.set_result(answer)
        return None

    def _take(self) -> list[tuple[Item, "asyncio.Future[Answer]"]]:
        count = total = 0
        for item, _ in self._waiting[: self._most_items]:
            total += self._size(item)
            if count and total > self._most_bytes:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group


def _fail(future: "asyncio.Future[Answer]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
