"""GitHub as the App itself asks it, with its key."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
from githubkit import AppAuthStrategy

from laurel_identity.clients.github import parsing
from laurel_identity.clients.github.http import GitHubHttp
from laurel_identity.domain.errors import AppNotInstalled, GitHubRefused, InstallationSuspended
from laurel_identity.domain.github import AppInstallation, InstallationToken, WebhookAttempt


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

    async def webhook_attempts(
        self, cursor: str | None, size: int
    ) -> tuple[list[WebhookAttempt], str | None]:
        """A page of attempts, and where the next one begins; the filter spares whole ones."""
        params: dict[str, Any] = {"per_page": size, "status": "failure"}
        if cursor is not None:
            params["cursor"] = cursor
        answer = await self._http.request(
            self._client, "GET", "/app/hook/deliveries", params=params
        )
        following = answer.links.get("next", {}).get("url")
        after = None if following is None else httpx.URL(following).params.get("cursor")
        return [parsing.webhook_attempt(each) for each in answer.json()], after

    async def redeliver(self, attempt_id: int) -> bool:
        """Has GitHub try again."""
        path = f"/app/hook/deliveries/{attempt_id}/attempts"
        try:
            await self._http.request(self._client, "POST", path)
        except GitHubRefused as error:
            if error.status == httpx.codes.NOT_FOUND:
                return False
            raise
        return True
