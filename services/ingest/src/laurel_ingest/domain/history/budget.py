"""What may still be asked of GitHub, or until when to wait: a pure rule of values and a moment."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

RESERVED_SHARE = 0.1
"""Of an hour's points, kept back for what webhooks and people ask meanwhile."""

URGENT_SHARE = 0.01
"""What not even webhooks ask for."""

SECONDARY_PAUSE = timedelta(seconds=60)
"""GitHub's own advice where it names no time."""


@dataclass(frozen=True, slots=True)
class Budget:
    """An installation's GraphQL points as last heard of; unknown ones are None.

    `blocked_until`: GitHub asked for silence, whatever points are left.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_at: datetime | None = None
    blocked_until: datetime | None = None

    def wait_until(self, now: datetime, *, is_urgent: bool = False) -> datetime | None:
        """Until when history has to wait; None where it may go on.

        `is_urgent`: a webhook asks for it, and it may have most of what is kept back.
        """
        share = URGENT_SHARE if is_urgent else RESERVED_SHARE
        if self.blocked_until is not None and self.blocked_until > now:
            return self.blocked_until
        if self.remaining is None or self.limit is None or self.reset_at is None:
            return None
        if self.reset_at <= now or self.remaining > self.limit * share:
            return None
        return self.reset_at

    def told(self, limit: int, remaining: int, reset_at: datetime) -> "Budget":
        """The budget after an answer; within one hour the lower count is the newer one."""
        if self.reset_at == reset_at and self.remaining is not None:
            remaining = min(remaining, self.remaining)
        return replace(self, limit=limit, remaining=remaining, reset_at=reset_at)

    def blocked(self, until: datetime) -> "Budget":
        """The budget after GitHub refused an answer until a moment."""
        if self.blocked_until is not None and self.blocked_until > until:
            return self
        return replace(self, blocked_until=until)
