"""The call's deadline: kept in a context variable, shaved and passed on to what the call uses."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from laurel_common import surroundings

# What a call keeps for itself of its caller's time, to answer before the caller gives up.
MARGIN_SECONDS = 0.020


def set_deadline(seconds: float | None) -> None:
    """Gives the running task `seconds` from now; None takes the limit away."""
    surroundings.with_deadline(None if seconds is None else time.monotonic() + seconds)


def remaining() -> float | None:
    """Seconds left, possibly negative; None where there is no limit."""
    deadline = surroundings.current().deadline
    return None if deadline is None else deadline - time.monotonic()


def outbound_timeout(default: float | None) -> float | None:
    """Seconds that a further call may take: what remains less the margin, `default` at most.

    Never negative: a call whose time is up fails at once, as DEADLINE_EXCEEDED.
    """
    left = remaining()
    if left is None:
        return default
    shaved = max(left - MARGIN_SECONDS, 0.0)
    return shaved if default is None else min(shaved, default)


@contextmanager
def deadline_in(seconds: float | None) -> Iterator[None]:
    """Limits what runs inside to `seconds`, or to what remains if that is less."""
    left = remaining()
    wanted = left if seconds is None else seconds if left is None else min(seconds, left)
    token = surroundings.with_deadline(None if wanted is None else time.monotonic() + wanted)
    try:
        yield
    finally:
        surroundings.leave(token)
