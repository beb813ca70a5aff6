"""What GitHub gives for a user, and when it has to be given anew."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

# A token that ends sooner is refreshed before it is used.
REFRESH_MARGIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class GitHubTokens:
    """A user's access token, and what it is refreshed with where it expires at all."""

    access: str = field(repr=False)
    token_type: str
    scope: str
    access_expires_at: datetime | None = None
    refresh: str | None = field(default=None, repr=False)
    refresh_expires_at: datetime | None = None

    def is_fresh(self, now: datetime) -> bool:
        """Whether it may be used as it is."""
        return self.access_expires_at is None or now < self.access_expires_at - REFRESH_MARGIN

    def is_over(self, now: datetime) -> bool:
        """Whether GitHub takes it no more."""
        return self.access_expires_at is not None and now >= self.access_expires_at

    def can_refresh(self, now: datetime) -> bool:
        """Whether there is something to refresh it with."""
        if self.refresh is None:
            return False
        return self.refresh_expires_at is None or now < self.refresh_expires_at
