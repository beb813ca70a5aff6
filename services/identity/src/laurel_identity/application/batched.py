"""Single lookups made at the same time, answered by one read of them all."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import Generic, TypeVar

from laurel_common.deadline import set_deadline

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_MAX_KEYS = 500


class Batched(Generic[K, V]):
    """Looks keys up one read after the other; what is asked for during a read waits for the next.

    Under load a read costs its round trip once for everybody, and without load nobody waits.
    """

    def __init__(self, read: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._read = read
        self._wanted: dict[K, asyncio.Future[V | None]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """What there is under the key, read after it was asked for; raises what the read does."""
        wanted = self._wanted.get(key)
        if wanted is None:
            wanted = self._wanted[key] = asyncio.get_running_loop().create_future()
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._run(), name="laurel-batched")
        return await asyncio.shield(wanted)

    async def _run(self) -> None:
        # Others wait for it, whose deadlines are not the first one's.
        set_deadline(None)
        while self._wanted:
            # Whoever has come meanwhile gets as far as to ask.
            await asyncio.sleep(0)
            batch = dict(list(self._wanted.items())[:_MAX_KEYS])
            for key in batch:
                del self._wanted[key]
            await self._answer(batch)

    async def _answer(self, batch: dict[K, asyncio.Future[V | None]]) -> None:
        try:
            found = await self._read(batch.keys())
        except Exception as error:  # whatever it is, it is the answer to those who wait
            for wanted in batch.values():
                wanted.set_exception(error)
                wanted.exception()  # looked at: nobody may be waiting any more
            return
        for key, wanted in batch.items():
            wanted.set_result(found.get(key))
