"""Faults that go by: what a run has to get over at any time, drawn for each query of a test."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

MILD: Final[list[dict[str, Any]]] = [{"status": 502}, {"status": 504}]
"""A page that GitHub gives up on: whoever asked gets a smaller one."""

ROUGH: Final[list[dict[str, Any]]] = [{"status": 500}, {"cut": True}, {"retry_after": 1}]
"""What ends an attempt: whoever asked comes again later."""

_ONE_IN: Final = 3
PROBE: Final = "Probe"


class Weather:
    """The same for the same seed; never twice in a row, so that everything gets through."""

    def __init__(self, seed: str | None = None) -> None:
        """Without a seed it is fair."""
        self._draw = None if seed is None else random.Random(seed)  # noqa: S311 - no secret
        self._is_rough = self._has_struck = False
        self.struck: list[dict[str, Any]] = []

    @contextmanager
    def rough(self) -> Iterator[None]:
        """While it lasts, whole attempts fail."""
        before, self._is_rough = self._is_rough, True
        try:
            yield
        finally:
            self._is_rough = before

    def fault(self, operation: str) -> dict[str, Any] | None:
        """What befalls a query."""
        if self._draw is None:
            return None
        # A probe is one query, or several where it is given up on: tests count them.
        choices = [] if operation == PROBE else [*MILD]
        choices += ROUGH if self._is_rough else []
        strikes = not self._has_struck and self._draw.randrange(_ONE_IN) == 0
        self._has_struck = strikes and bool(choices)
        if not self._has_struck:
            return None
        chosen = self._draw.choice(choices)
        self.struck.append(chosen)
        return chosen
