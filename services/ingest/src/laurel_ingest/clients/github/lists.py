"""GitHubLists over REST, which answers 304 to ETags without counting."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import httpx
from githubkit.exception import GitHubException, PrimaryRateLimitExceeded, RequestFailed

from laurel_ingest.application.history.github import GitHubRateLimited
from laurel_ingest.clients.github.http import TIMEOUT_SECONDS, Connections, UnauthorizedError
from laurel_ingest.domain.history.budget import RESERVED_SHARE
from laurel_ingest.domain.history.newest import (
    Etags,
    Glance,
    NewestList,
    Told,
    mark_of,
    usable,
)

_NEWEST_FIRST: Final = {"sort": "updated", "direction": "desc", "per_page": 30}
_ASKED: Final[dict[NewestList, tuple[str, dict[str, Any]]]] = {
    NewestList.COMMITS: ("commits", {"per_page": 30}),
    NewestList.PULLS: ("pulls", _NEWEST_FIRST | {"state": "all"}),
    NewestList.ISSUES: ("issues", _NEWEST_FIRST | {"state": "all"}),
    NewestList.COMMENTS: ("issues/comments", _NEWEST_FIRST),
    NewestList.REVIEWS: ("pulls/comments", _NEWEST_FIRST),
}
_VERSION: Final = {"X-GitHub-Api-Version": "2022-11-28"}


class RestLists:
    """A GitHubLists."""

    def __init__(self, connections: Connections, count: Callable[[Told], None]) -> None:
        """`count` is told what became of each request."""
        self._connections = connections
        self._count = count

    async def mark(self, installation_id: int) -> str:
        """See GitHubLists."""
        return mark_of(await self._connections.tokens.token(installation_id))

    async def glance(
        self, installation_id: int, full_name: str, held: Etags | None, *, anyway: bool
    ) -> tuple[Glance | None, int]:
        """See GitHubLists."""
        token = await self._connections.tokens.token(installation_id)
        asked = 0
        for _ in range(2):
            mark = mark_of(token)
            own = held if held is not None and held.given_to == mark else None
            if own is None and not anyway:
                break
            pages = _Pages(self._connections, token, full_name, own)
            try:
                await pages.ask()
            except UnauthorizedError:
                # Revoked before its time, and its ETags with it.
                token = await self._connections.tokens.token(installation_id, refused=token)
                continue
            finally:
                asked += len(pages.told)
                for each in pages.told:
                    self._count(each)
            return Glance(Etags(mark, pages.tags), frozenset(pages.differing)), asked
        return None, asked


class _Pages:
    """The newest pages of one repository, asked for with one token."""

    def __init__(
        self, connections: Connections, token: str, full_name: str, held: Etags | None
    ) -> None:
        self._connections = connections
        self._client = connections.client(token)
        self._full_name = full_name
        self.tags: dict[str, str] = {} if held is None else dict(held.tags)
        self.differing: set[str] = set()
        self.told: list[Told] = []

    async def ask(self) -> None:
        """One after the other; no more of them where GitHub is away, or little is left to ask.

        Raises GitHubRateLimited, UnauthorizedError.
        """
        for listed in NewestList:
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    headers = await self._page(listed)
            except (GitHubException, TimeoutError) as error:
                self.told.append(Told.FAILED)
                if self._is_in_vain(error):
                    return
            else:
                if _is_scarce(headers):
                    return

    async def _page(self, listed: NewestList) -> httpx.Headers:
        path, parameters = _ASKED[listed]
        name = listed.value
        tag = self.tags.get(name)
        response = await self._client.arequest(
            "GET",
            f"/repos/{self._full_name}/{path}",
            params=parameters,
            headers=_VERSION | ({} if tag is None else {"If-None-Match": tag}),
        )
        if response.status_code == httpx.codes.NOT_MODIFIED:
            self.told.append(Told.UNCHANGED)
        else:
            self.told.append(Told.CHANGED)
            self.differing.add(name)
            self.tags.pop(name, None)
            if given := usable(response.headers.get("ETag")):
                self.tags[name] = given
        return response.headers

    def _is_in_vain(self, error: Exception) -> bool:
        """Whether the other lists would not be answered either. Raises as `ask`."""
        if isinstance(error, PrimaryRateLimitExceeded) or not isinstance(error, RequestFailed):
            return True  # a limit of REST's own, which holds nothing else up, or no answer at all
        typed = self._connections.typed(error)
        if isinstance(typed, GitHubRateLimited | UnauthorizedError):
            raise typed from None
        return False


def _is_scarce(headers: httpx.Headers) -> bool:
    """Whether what is left of the hour's requests is kept back for others."""
    limit, left = (headers.get(f"X-RateLimit-{each}", "") for each in ("Limit", "Remaining"))
    if not (limit.isdecimal() and left.isdecimal()):
        return False
    return int(left) <= int(limit) * RESERVED_SHARE
