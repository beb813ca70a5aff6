"""What the use cases need of GitHub, and what an implementation of it owes them.

Everything raises GitHubUnavailable, GitHubRateLimited, GitHubRefused and DeadlineExceeded.
"""

# ruff: noqa: ARG002 - NoApp's methods have the port's signatures and use nothing of them

from collections.abc import AsyncIterator
from typing import Protocol

from laurel_identity.domain.errors import GitHubNotConfigured
from laurel_identity.domain.github import AppInstallation, InstallationToken


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
