"""Single lookups made at the same time, answered by one read of them all, and kept for a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import TypeVar

from laurel_common.deadline import set_deadline
from laurel_common.errors import DatabaseUnavailable
from laurel_common.remembered import Kept

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_MAX_KEYS = 500
# Well below what a call takes under load.
_GATHER_SECONDS = 0.002


class Batched(Kept[K, V]):
    """Looks keys up one read after the other; what is asked for during a read waits for the next.

    Under load a read waits a moment for others and costs its round trip once for everybody;
    without load nobody waits.
    `read` answers every key, by what is kept for `seconds` from before it was asked, or by an
    error, which is raised to all who wait for the key and not kept. `forget` holds for answers
    that are on their way, too: they reach who waits for them and are not kept.
    """

    def __init__(
        self,
        read: Callable[[Collection[K]], Awaitable[Mapping[K, V | Exception]]],
        *,
        seconds: float,
        limit: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(limit=limit, monotonic=monotonic)
        self._read = read
        self._seconds = seconds
        # Who is asked about, and of them those that the next read is about.
        self._asked: dict[K, asyncio.Future[V]] = {}
        self._wanted: dict[K, asyncio.Future[V]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V:
        """What there is under the key, read after it was asked for; raises what the read tells."""
        asked = self._asked.get(key)
        if asked is None:
            asked = asyncio.get_running_loop().create_future()
            self._asked[key] = self._wanted[key] = asked
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._run(), name="laurel-batched")
        # Whoever gives up leaves the others their answer.
        return await asyncio.shield(asked)

    def forget(self, concerns: Callable[[K], bool] = lambda _: True) -> None:
        """Keeps no answer any more whose key `concerns` holds for."""
        super().forget(concerns)
        for key in [each for each in self._asked if each not in self._wanted and concerns(each)]:
            del self._asked[key]

    async def _run(self) -> None:
        # Others wait for it, whose deadlines are not the first one's.
        set_deadline(None)
        crowd = False
        while self._wanted:
            # Whoever has come meanwhile gets as far as to ask; where several do, more will.
            await asyncio.sleep(_GATHER_SECONDS if crowd else 0)
            crowd = len(self._wanted) > 1
            batch = dict(list(self._wanted.items())[:_MAX_KEYS])
            for key in batch:
                del self._wanted[key]
            await self._answer(batch)

    async def _answer(self, batch: Mapping[K, asyncio.Future[V]]) -> None:
        until = self._monotonic() + self._seconds
        found: Mapping[K, V | Exception]
        try:
            found = await self._read(batch.keys())
        except asyncio.CancelledError:
            # Of the read from inside: those who wait have cancelled nothing, and must not hang.
            found = dict.fromkeys(batch, DatabaseUnavailable())
        except Exception as error:  # whatever it is, it is the answer to those who wait
            found = dict.fromkeys(batch, error)
        for key, asked in batch.items():
            answer = found[key]
            is_current = self._asked.get(key) is asked
            if is_current:
                del self._asked[key]
            if isinstance(answer, Exception):
                asked.set_exception(answer)
                asked.exception()  # looked at: nobody may be waiting any more
                continue
            if is_current:
                self.keep(key, answer, until)
            asked.set_result(answer)
