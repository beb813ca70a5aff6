"""GitHub as the App itself asks it, with its key."""

from collections.abc import AsyncIterator
from datetime import datetime

import httpx
from githubkit import AppAuthStrategy

from laurel_identity.clients.github import parsing
from laurel_identity.clients.github.http import GitHubHttp
from laurel_identity.domain.errors import AppNotInstalled, GitHubRefused, InstallationSuspended
from laurel_identity.domain.github import AppInstallation, InstallationToken


class GitHubApp:
    """An AppClient. `private_key` is the App's, in PEM."""

    def __init__(self, http: GitHubHttp, app_id: int, private_key: str) -> None:
        self._http = http
        self._client = http.client(AppAuthStrategy(app_id, private_key))

    async def installation(self, installation_id: int) -> AppInstallation | None:
        """One installation of the App."""
        found = await self._http.get(self._client, f"/app/installations/{installation_id}")
        return None if found is None else parsing.installation(found)

    async def installations(self) -> AsyncIterator[AppInstallation]:
        """All installations of the App."""
        async for page in self._http.pages(self._client, "/app/installations"):
            for each in page:
                yield parsing.installation(each)

    async def install_url(self) -> str:
        """Where people install the App, without a state."""
        app = (await self._http.request(self._client, "GET", "/app")).json()
        return f"{app['html_url']}/installations/new"

    async def create_token(self, installation_id: int) -> InstallationToken:
        """A new token of an installation."""
        path = f"/app/installations/{installation_id}/access_tokens"
        try:
            made = (await self._http.request(self._client, "POST", path)).json()
        except GitHubRefused as error:
            if error.status == httpx.codes.NOT_FOUND:
                raise AppNotInstalled from None
            if error.status == httpx.codes.FORBIDDEN:
                raise InstallationSuspended from None
            raise
        return InstallationToken(made["token"], datetime.fromisoformat(made["expires_at"]))
