"""How long to wait before a program that died is started again."""

from collections import deque

FIRST_DELAY = 0.2
LONGEST_DELAY = 10.0
# A program that ran this long was well: the next death is a first one again.
HEALTHY_AFTER = 30.0
LOOP_DEATHS = 5
LOOP_WINDOW = 60.0


class Backoff:
    """Doubles the delay with every death in a row; all times are seconds of one clock."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._deaths: deque[float] = deque(maxlen=LOOP_DEATHS)

    def died(self, *, started_at: float, now: float) -> float:
        """Notes a death and returns how many seconds to wait."""
        if now - started_at >= HEALTHY_AFTER:
            self._in_a_row = 0
        self._deaths.append(now)
        delay = min(FIRST_DELAY * 2.0**self._in_a_row, LONGEST_DELAY)
        self._in_a_row += 1
        return delay

    @property
    def looping(self) -> bool:
        """Whether it has died five times within a minute."""
        full = len(self._deaths) == LOOP_DEATHS
        return full and self._deaths[-1] - self._deaths[0] <= LOOP_WINDOW
