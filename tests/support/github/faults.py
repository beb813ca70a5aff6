"""What goes wrong on demand: answers that fail, wait, break off or refuse for a while."""

import asyncio
import re
from dataclasses import dataclass

NO_PATTERN = re.compile("")


@dataclass
class Fault:
    """What happens to the next `times` requests whose "METHOD /path" the pattern finds.

    `status` answers with it; `cut` breaks the connection; `reset_seconds` refuses by the primary
    rate limit, `retry_after` by the secondary one; `delay` waits before whatever comes then, and
    `answer_delay` with an answer that says what there was before it; `answer_after` holds that one
    back until the event.
    """

    pattern: re.Pattern[str]
    times: int = 1
    status: int | None = None
    delay: float = 0.0
    cut: bool = False
    reset_seconds: int | None = None
    retry_after: int | None = None
    answer_delay: float = 0.0
    answer_after: asyncio.Event | None = None

    @property
    def holds_back(self) -> bool:
        """Whether the answer is ready before it goes out."""
        return self.answer_after is not None or self.answer_delay > 0

    async def let_go(self) -> None:
        """Returns when the answer may go out."""
        await asyncio.sleep(self.answer_delay)
        if self.answer_after is not None:
            await self.answer_after.wait()


class Faults:
    """The faults to come; the first that fits a request is used up by it."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(
        self,
        pattern: str,
        *,
        times: int = 1,
        status: int | None = None,
        delay: float = 0.0,
        cut: bool = False,
        reset_seconds: int | None = None,
        retry_after: int | None = None,
        answer_delay: float = 0.0,
        answer_after: asyncio.Event | None = None,
    ) -> Fault:
        """Plans a fault for requests that a regular expression finds."""
        fault = Fault(
            re.compile(pattern),
            times,
            status,
            delay,
            cut,
            reset_seconds,
            retry_after,
            answer_delay,
            answer_after,
        )
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forgets what was planned."""
        self._faults.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault of this request, one time less of it."""
        for fault in self._faults:
            if fault.times > 0 and fault.pattern.search(f"{method} {path}"):
                fault.times -= 1
                return fault
        return None
