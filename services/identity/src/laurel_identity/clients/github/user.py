"""GitHub as a signed-in user asks it, with its own token."""

from collections.abc import Collection, Sequence

import httpx

from laurel_identity.clients.github.http import GitHubHttp
from laurel_identity.domain.entities import Organization, User
from laurel_identity.domain.errors import GitHubRefused, GitHubUserSuspended


class GitHubUser:
    """A UserClient."""

    def __init__(self, http: GitHubHttp) -> None:
        self._http = http

    async def profile(self, token: str) -> User:
        """The user."""
        try:
            answer = await self._http.request(self._http.with_token(token), "GET", "/user")
        except GitHubRefused as error:
            if error.status == httpx.codes.FORBIDDEN:
                raise GitHubUserSuspended from None
            raise
        found = answer.json()
        return User(
            found["id"],
            found["login"],
            found.get("name"),
            found.get("avatar_url") or "",
            found.get("type") == "Bot",
        )

    async def memberships(self, token: str) -> Sequence[tuple[Organization, str]]:
        """The organizations that the user is an active member of, with its role in each."""
        found = []
        client = self._http.with_token(token)
        async for page in self._http.pages(client, "/user/memberships/orgs", state="active"):
            for each in page:
                of = each["organization"]
                organization = Organization(of["id"], of["login"], None, of.get("avatar_url"))
                found.append((organization, str(each["role"])))
        return found

    async def installations(self, token: str) -> Collection[int]:
        """The installations of the App that the user has something of."""
        return await self._ids(token, "/user/installations", "installations")

    async def repositories(self, token: str, installation_id: int) -> Collection[int]:
        """The repositories of an installation that the user can read; none where GitHub does not
        show it the installation.
        """
        path = f"/user/installations/{installation_id}/repositories"
        try:
            return await self._ids(token, path, "repositories")
        except GitHubRefused as error:
            if error.status in {httpx.codes.NOT_FOUND, httpx.codes.FORBIDDEN}:
                return ()
            raise

    async def role(self, token: str, organization: str) -> str | None:
        """The user's role in an organization."""
        path = f"/user/memberships/orgs/{organization}"
        try:
            found = await self._http.get(self._http.with_token(token), path)
        except GitHubRefused as error:
            if error.status == httpx.codes.FORBIDDEN:
                return None
            raise
        return str(found["role"]) if found is not None and found["state"] == "active" else None

    async def _ids(self, token: str, path: str, key: str) -> Collection[int]:
        client = self._http.with_token(token)
        return [each["id"] async for page in self._http.pages(client, path, key) for each in page]
