"""Answers that are good for a few seconds, asked for once however many want them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from laurel_common.deadline import set_deadline

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """At most `limit` answers, each until its time."""

    def __init__(self, *, limit: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._monotonic = monotonic
        # Each with its time, and the one from which on it is to be asked for again.
        self._known: dict[K, tuple[V, float, float]] = {}

    def find(self, key: K) -> V | None:
        """The answer, where one is kept."""
        found = self._known.get(key)
        if found is None:
            return None
        if self._monotonic() < found[1]:
            return found[0]
        del self._known[key]
        return None

    def keep(self, key: K, answer: V, until: float) -> None:
        """Keeps an answer until an instant of the monotonic clock."""
        if len(self._known) >= self._limit:
            now = self._monotonic()
            self._known = {each: kept for each, kept in self._known.items() if now < kept[1]}
            if len(self._known) >= self._limit:
                # The oldest quarter: a flood of strangers does not push everybody out at once.
                for oldest in list(self._known)[: self._limit // 4 + 1]:
                    del self._known[oldest]
        self._known[key] = (answer, until, until)

    def forget(self, concerns: Callable[[K], bool] = lambda _: True) -> None:
        """Keeps no answer any more whose key `concerns` holds for."""
        for known in [key for key in self._known if concerns(key)]:
            del self._known[known]


class Remembered(Kept[K, V]):
    """Answers that are asked for where none is kept, each kept for as long as whoever gave it said.

    `forget` holds for answers that are on their way, too: they reach who waits for them and are
    not kept. What `current` finds is asked for again `ahead` seconds before its time.
    """

    def __init__(
        self, *, limit: int, ahead: float = 0.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(limit=limit, monotonic=monotonic)
        self._ahead = ahead
        self._asked: dict[K, asyncio.Task[V]] = {}

    def current(self, key: K, ask: Callable[[], Awaitable[tuple[V, float]]]) -> V | None:
        """The answer, where one is kept. One whose time is nearly up is asked for again beside
        the caller, once: whoever is busy never waits for it. Called within a running loop.
        """
        found = self._known.get(key)
        if found is None:
            return None
        answer, until, again = found
        now = self._monotonic()
        if now < again:
            return answer
        if now >= until:
            del self._known[key]
            return None
        # Once, however it ends: what fails now is asked for when its time is up.
        self._known[key] = (answer, until, until)
        if key not in self._asked:
            self._begin(key, ask)
        return answer

    def keep(self, key: K, answer: V, until: float) -> None:
        """Keeps an answer until an instant of the monotonic clock."""
        super().keep(key, answer, until)
        self._known[key] = (answer, until, until - self._ahead)

    async def get(self, key: K, ask: Callable[[], Awaitable[tuple[V, float]]]) -> V:
        """The kept answer, or what `ask` gives together with the seconds, from before it was
        asked, for which it is good. What `ask` raises is raised to all who wait, and not kept.
        """
        found = self.find(key)
        if found is not None:
            return found
        task = self._asked.get(key)
        if task is None:
            task = self._begin(key, ask)
        # Whoever gives up leaves the others their answer.
        return await asyncio.shield(task)

    def forget(self, concerns: Callable[[K], bool] = lambda _: True) -> None:
        """Keeps no answer any more whose key `concerns` holds for."""
        super().forget(concerns)
        for asked in [key for key in self._asked if concerns(key)]:
            del self._asked[asked]

    def _begin(self, key: K, ask: Callable[[], Awaitable[tuple[V, float]]]) -> asyncio.Task[V]:
        task = asyncio.create_task(self._ask(key, ask), name="laurel-remembered")
        self._asked[key] = task
        task.add_done_callback(_look_at_the_error)
        return task

    async def _ask(self, key: K, ask: Callable[[], Awaitable[tuple[V, float]]]) -> V:
        # Others will wait for it, whose deadlines are not the first one's.
        set_deadline(None)
        asked = self._monotonic()
        try:
            answer, seconds = await ask()
            if self._asked.get(key) is asyncio.current_task():
                self.keep(key, answer, asked + seconds)
            return answer
        finally:
            if self._asked.get(key) is asyncio.current_task():
                del self._asked[key]


def _look_at_the_error(task: asyncio.Task[V]) -> None:
    """Keeps asyncio from complaining where nobody waits for the answer any more."""
    if not task.cancelled():
        task.exception()
