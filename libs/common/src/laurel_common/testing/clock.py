"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Tells `start` until advanced."""

    def __init__(self, start: datetime = datetime(2026, 1, 15, 12, tzinfo=UTC)) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock's start needs a time zone")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The instant that the test has reached."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Moves on and returns the new instant."""
        self._now += by
        return self._now

    def set(self, to: datetime) -> None:
        """Jumps to an aware instant."""
        self._now = to.astimezone(UTC)
