"""Many small writes at once in one transaction: who comes while one commits joins the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

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
        while self._waiting:
            group = self._take()
            try:
                answers = await self._write([item for item, _ in group])
            except Exception as error:  # whatever it is, it is its callers'
                if len(group) == 1:
                    _fail(group[0][1], error)
                else:
                    await self._one_by_one(group)
            else:
                for (_, future), answer in zip(group, answers, strict=True):
                    if not future.done():
                        future.set_result(answer)

    async def _one_by_one(self, group: Sequence[tuple[Item, "asyncio.Future[Answer]"]]) -> None:
        for item, future in group:
            try:
                (answer,) = await self._write([item])
            except Exception as error:  # whatever it is, it is its caller's
                _fail(future, error)
            else:
                if not future.done():
                    future.set_result(answer)

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
