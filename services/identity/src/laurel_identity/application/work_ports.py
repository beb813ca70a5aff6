"""What working on installations needs of the outside."""

from datetime import datetime
from typing import Protocol

from laurel_identity.domain.works import Heir, Work, WorkOutcome


class Works(Protocol):
    """What there is to do, by account. Raises DatabaseUnavailable."""

    async def claim(self, account_id: int, now: datetime) -> Work | None:
        """Begins an attempt at the account's oldest work that is not finished; None where there is
        none, or its time has not come.
        """
        ...

    async def aim(self, work: Work, into_installation_id: int) -> None:
        """Notes where a work moves things before it does."""
        ...

    async def finish(self, work: Work, outcome: WorkOutcome, now: datetime) -> None:
        """Ends a work."""
        ...

    async def retry(self, work: Work, error: str, at: datetime) -> None:
        """Notes why the attempt ended, and when to make another one."""
        ...

    async def heir_of(self, account_id: int, installation_id: int) -> Heir | None:
        """The installation that an account has beside this one; of several, the App's own."""
        ...

    async def heir_of_repository(self, repository_id: int) -> Heir | None:
        """The installation of a repository's account."""
        ...

    async def heir(self, installation_id: int) -> Heir | None:
        """An installation with its account."""
        ...

    async def is_gone(self, installation_id: int) -> bool:
        """Whether GitHub does not have the installation."""
        ...

    async def erase(self, installation_id: int, account_id: int) -> None:
        """Deletes the row of an installation that GitHub has no more, with what is left of it; and
        what is known of its account, where that has no other one.
        """
        ...

    async def succeed(self, installation_id: int, heir: Heir) -> None:
        """Deletes the row of an installation that was adopted. Signals of repositories that were to
        follow them elsewhere follow from the heir.
        """
        ...


class HistoryMover(Protocol):
    """The services that hold something of an installation. Raises DependencyUnavailable, and what
    they refuse.
    """

    async def signals(self, former: int, later: int, repository_id: int = 0) -> bool:
        """Moves signals, or those of one repository, for a while; whether all of them are there
        now.
        """
        ...

    async def boards(self, former: int, heir: Heir) -> None:
        """Moves boards."""
        ...

    async def repository_boards(self, former: int, repository_id: int) -> None:
        """Deletes an installation's boards of a repository that left it."""
        ...

    async def presets(self, former: int, later: int) -> None:
        """Moves presets, and has the later installation scored by them."""
        ...

    async def forget(self, installation_id: int) -> bool:
        """Deletes what there is of an installation for a while; whether nothing is left."""
        ...


class StartScoring(Protocol):
    """Has all boards of an installation computed anew. Raises RemoteError."""

    async def __call__(self, installation_id: int) -> None:
        """Asks for it; a run that waits already is the one."""
        ...


class Erasures(Protocol):
    """What is to be erased. Raises DatabaseUnavailable."""

    async def request(self, installation_id: int, account_id: int, requested_by: str) -> None:
        """Notes that an installation is to be erased, unless that is noted already."""
        ...

    async def request_uninstalled(self, before: datetime) -> int:
        """Notes the same of all that were uninstalled before; of how many it was not yet."""
        ...
