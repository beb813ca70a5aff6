"""What the use cases about installations need beside the directory."""

from collections.abc import Sequence
from typing import Protocol


class AccountInstallations(Protocol):
    """Which installation an account has."""

    async def installed_on(self, account_id: int) -> int | None:
        """The App's own installation of an account, unless there is none or it was uninstalled.
        Raises DatabaseUnavailable.
        """
        ...

    async def installed_after(self, after: int, limit: int) -> Sequence[int]:
        """At most `limit` of the App's own installations that were not uninstalled, above an id,
        by id. Raises DatabaseUnavailable.
        """
        ...


class TeamForgetter(Protocol):
    """Whoever holds something about teams."""

    async def __call__(self, installation_id: int, team_id: int) -> None:
        """Lets everybody forget a team, before its row goes. Idempotent.

        Raises DependencyUnavailable.
        """
        ...


class SessionEnder(Protocol):
    """Ends sessions, and tells everybody."""

    async def all_of(self, user_id: int) -> int:
        """Ends all sessions of a user; how many. Raises DatabaseUnavailable."""
        ...


class PendingInstalls(Protocol):
    """Keeps which installs have begun, for an hour at most. Raises DependencyUnavailable."""

    async def put(self, nonce: str) -> None:
        """Notes that one has begun."""
        ...

    async def take(self, nonce: str) -> bool:
        """Whether it was there; it is not any more."""
        ...
