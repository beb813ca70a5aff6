"""GitHub as an installation of the App asks it, about the account that it is on."""

from typing import Any

from githubkit import GitHub

from laurel_identity.application.installation_tokens import InstallationTokens
from laurel_identity.clients.github import parsing
from laurel_identity.clients.github.http import GitHubHttp
from laurel_identity.domain.entities import Repository, Team, User
from laurel_identity.domain.github import GitHubAccount


class GitHubAccounts:
    """An AccountClient."""

    def __init__(self, http: GitHubHttp, tokens: InstallationTokens) -> None:
        self._http = http
        self._tokens = tokens

    async def repositories(self, installation_id: int) -> list[Repository]:
        """All repositories that the installation was given."""
        path = "/installation/repositories"
        found = await self._all(installation_id, path, "repositories")
        return [parsing.repository(each) for each in found]

    async def repository(
        self, installation_id: int, repository_id: int
    ) -> tuple[Repository, GitHubAccount] | None:
        """A repository and its owner."""
        found = await self._one(installation_id, f"/repositories/{repository_id}")
        if found is None:
            return None
        return parsing.repository(found), parsing.account(found["owner"])

    async def user(self, installation_id: int, user_id: int) -> User | None:
        """A user."""
        found = await self._one(installation_id, f"/user/{user_id}")
        return None if found is None else parsing.user(found)

    async def members(self, installation_id: int, login: str) -> list[tuple[User, str]]:
        """All members of an organization with their roles."""
        return await self._with_roles(installation_id, f"/orgs/{login}/members", "member", "admin")

    async def role(self, installation_id: int, login: str, user: str) -> str | None:
        """A user's role in an organization; an invited one has none yet."""
        return await self._role(installation_id, f"/orgs/{login}/memberships/{user}")

    async def teams(self, installation_id: int, account: GitHubAccount) -> list[Team]:
        """All teams of an organization."""
        found = await self._all(installation_id, f"/orgs/{account.login}/teams")
        return [parsing.team(each, account.id) for each in found]

    async def team(self, installation_id: int, account_id: int, team_id: int) -> Team | None:
        """A team."""
        found = await self._one(installation_id, f"/organizations/{account_id}/team/{team_id}")
        return None if found is None else parsing.team(found, account_id)

    async def team_members(self, installation_id: int, team: Team) -> list[tuple[User, str]]:
        """All members of a team with their roles."""
        path = f"{_path(team)}/members"
        return await self._with_roles(installation_id, path, "member", "maintainer")

    async def team_role(self, installation_id: int, team: Team, user: str) -> str | None:
        """A user's role in a team."""
        return await self._role(installation_id, f"{_path(team)}/memberships/{user}")

    async def team_repositories(
        self, installation_id: int, team: Team
    ) -> list[tuple[Repository, GitHubAccount, str]]:
        """All repositories of a team, with their owners and what the team may do."""
        return [
            (parsing.repository(each), parsing.account(each["owner"]), each["role_name"])
            for each in await self._all(installation_id, f"{_path(team)}/repos")
        ]

    async def _with_roles(
        self, installation_id: int, path: str, *roles: str
    ) -> list[tuple[User, str]]:
        """A list for each role: the lists do not tell the role of those in them."""
        return [
            (parsing.user(each), role)
            for role in roles
            for each in await self._all(installation_id, path, role=role)
        ]

    async def _role(self, installation_id: int, path: str) -> str | None:
        found = await self._one(installation_id, path)
        return found["role"] if found is not None and found["state"] == "active" else None

    async def _one(self, installation_id: int, path: str) -> Any | None:
        return await self._http.get(await self._client(installation_id), path)

    async def _all(
        self, installation_id: int, path: str, key: str | None = None, **params: str
    ) -> list[Any]:
        client = await self._client(installation_id)
        pages = self._http.pages(client, path, key, **params)
        return [each async for page in pages for each in page]

    async def _client(self, installation_id: int) -> GitHub[Any]:
        return self._http.with_token((await self._tokens.get(installation_id)).token)


def _path(team: Team) -> str:
    return f"/organizations/{team.organization_id}/team/{team.id}"
