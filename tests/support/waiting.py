"""Waits for something that another process or thread is about to do."""

import time
from collections.abc import Callable


def eventually(happened: Callable[[], bool], seconds: float = 60.0) -> None:
    """Returns as soon as `happened()` holds; fails where it never does."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"did not happen within {seconds:g} s"
        time.sleep(0.01)
