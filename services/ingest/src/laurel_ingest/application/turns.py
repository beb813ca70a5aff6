"""How much of a long work one call does."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """Some seconds of slices; the caller's patience is longer than that and a slice."""

    seconds: float = 20.0
    timer: Callable[[], float] = time.monotonic

    async def take(self, slices: AsyncGenerator[int]) -> tuple[int, bool]:
        """How many rows the slices had that there was time for, and whether those were all."""
        until, taken = self.timer() + self.seconds, 0
        async with aclosing(slices):
            async for count in slices:
                taken += count
                if self.timer() >= until:
                    return taken, False
        return taken, True
