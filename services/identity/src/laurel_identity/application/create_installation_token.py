"""The use case CreateInstallationToken: what ingest asks GitHub with."""

from laurel_identity.application.get_installation import GetInstallation
from laurel_identity.application.installation_tokens import InstallationTokens
from laurel_identity.domain.errors import AppNotInstalled, InstallationSuspended
from laurel_identity.domain.github import InstallationToken
from laurel_identity.domain.installations import Visibility


class CreateInstallationToken:
    """Raises InstallationNotFound, AppNotInstalled, InstallationSuspended, GitHubNotConfigured,
    GitHubUnavailable, GitHubRateLimited, GitHubRefused, DatabaseUnavailable.
    """

    def __init__(self, get_installation: GetInstallation, tokens: InstallationTokens) -> None:
        self._get_installation = get_installation
        self._tokens = tokens

    async def __call__(
        self, installation_id: int, visibility: Visibility, *, refused: str = ""
    ) -> InstallationToken:
        """`refused`: a token that GitHub does not take any more; another comes in its place."""
        installation = await self._get_installation.by_id(installation_id, visibility)
        if not installation.is_installed:
            raise AppNotInstalled
        if installation.suspended_at is not None:
            self._tokens.forget(installation_id)
            raise InstallationSuspended
        if refused:
            self._tokens.forget(installation_id, only=refused)
        return await self._tokens.get(installation_id)
