"""What the use cases need of GitHub, and what an implementation of it owes them.

Everything raises GitHubUnavailable, GitHubRateLimited, GitHubRefused and DeadlineExceeded.
"""

# ruff: noqa: ARG002 - NoApp's methods have the port's signatures and use nothing of them

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from laurel_identity.domain.entities import Repository, Team, User
from laurel_identity.domain.errors import GitHubNotConfigured
from laurel_identity.domain.github import (
    AppInstallation,
    GitHubAccount,
    InstallationToken,
    WebhookAttempt,
)


class AppClient(Protocol):
    """GitHub as the App asks it, with its own key."""

    async def installation(self, installation_id: int) -> AppInstallation | None:
        """One installation of the App; None where there is none."""
        ...

    def installations(self) -> AsyncIterator[AppInstallation]:
        """All installations of the App."""
        ...

    async def install_url(self) -> str:
        """Where people install the App; a state is added as its query."""
        ...

    async def create_token(self, installation_id: int) -> InstallationToken:
        """A new token of an installation. Raises AppNotInstalled, InstallationSuspended."""
        ...

    async def webhook_attempts(
        self, cursor: str | None, size: int
    ) -> tuple[Sequence[WebhookAttempt], str | None]:
        """A page of attempts to deliver webhooks, newest first, and the cursor of the next one;
        None on the last. Of an Enterprise server that can't filter, those that went well, too.
        """
        ...

    async def redeliver(self, attempt_id: int) -> bool:
        """Has GitHub try again; False where it has the attempt no more."""
        ...


class AccountClient(Protocol):
    """GitHub as an installation of the App asks it about the account that it is on. What is not
    there, or may not be seen, is None or left out. Raises AppNotInstalled, InstallationSuspended.
    """

    async def repositories(self, installation_id: int) -> Sequence[Repository]:
        """All repositories that the installation was given."""
        ...

    async def repository(
        self, installation_id: int, repository_id: int
    ) -> tuple[Repository, GitHubAccount] | None:
        """A repository and its owner."""
        ...

    async def user(self, installation_id: int, user_id: int) -> User | None:
        """A user."""
        ...

    async def members(self, installation_id: int, login: str) -> Sequence[tuple[User, str]]:
        """All members of an organization with their roles."""
        ...

    async def role(self, installation_id: int, login: str, user: str) -> str | None:
        """A user's role in an organization, both by login."""
        ...

    async def teams(self, installation_id: int, account: GitHubAccount) -> Sequence[Team]:
        """All teams of an organization."""
        ...

    async def team(self, installation_id: int, account_id: int, team_id: int) -> Team | None:
        """A team."""
        ...

    async def team_members(self, installation_id: int, team: Team) -> Sequence[tuple[User, str]]:
        """All members of a team with their roles."""
        ...

    async def team_role(self, installation_id: int, team: Team, user: str) -> str | None:
        """A user's role in a team, by login."""
        ...

    async def team_repositories(
        self, installation_id: int, team: Team
    ) -> Sequence[tuple[Repository, GitHubAccount, str]]:
        """All repositories of a team, with their owners and what the team may do."""
        ...


class NoApp:
    """Stands where no App is configured: everything raises GitHubNotConfigured."""

    async def installation(self, installation_id: int) -> AppInstallation | None:
        raise GitHubNotConfigured

    async def installations(self) -> AsyncIterator[AppInstallation]:
        raise GitHubNotConfigured
        yield  # makes it a generator

    async def install_url(self) -> str:
        raise GitHubNotConfigured

    async def create_token(self, installation_id: int) -> InstallationToken:
        raise GitHubNotConfigured

    async def webhook_attempts(
        self, cursor: str | None, size: int
    ) -> tuple[Sequence[WebhookAttempt], str | None]:
        raise GitHubNotConfigured

    async def redeliver(self, attempt_id: int) -> bool:
        raise GitHubNotConfigured
