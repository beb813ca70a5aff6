"""Requests to GitHub's REST API through githubkit, ending in typed errors.

Answers stay JSON: of GitHub's objects identity reads a few fields, by id and name.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
from githubkit import BaseAuthStrategy, GitHub, TokenAuthStrategy
from githubkit.cache import MemCacheStrategy
from githubkit.config import Config, get_config
from githubkit.exception import (
    GitHubException,
    RateLimitExceeded,
    RequestFailed,
    RequestTimeout,
)
from githubkit.throttling import LocalThrottler

from laurel_common.deadline import outbound_timeout
from laurel_common.errors import DeadlineExceeded
from laurel_identity.domain.errors import (
    GitHubRateLimited,
    GitHubRefused,
    GitHubTimeout,
    GitHubUnavailable,
)

TIMEOUT_SECONDS = 10.0
PAGE_SIZE = 100
# GitHub allows a hundred requests at once for everything that uses the App.
_AT_ONCE = 30


class GitHubHttp:
    """One pool of connections to one GitHub, for whatever token a request carries."""

    def __init__(self, api_url: str) -> None:
        self._transport = _KeptTransport()
        self._config: Config = get_config(
            base_url=api_url,
            user_agent="laurel",
            timeout=TIMEOUT_SECONDS,
            async_transport=self._transport,
            cache_strategy=MemCacheStrategy(),
            http_cache=False,
            throttler=LocalThrottler(_AT_ONCE),
            auto_retry=False,
        )

    def client(self, auth: BaseAuthStrategy) -> GitHub[Any]:
        """Requests with these credentials."""
        return GitHub(auth, config=self._config)

    def with_token(self, token: str) -> GitHub[Any]:
        """Requests with a token of an installation or a user."""
        return self.client(TokenAuthStrategy(token))

    async def request(
        self, client: GitHub[Any], method: str, path: str, **options: Any
    ) -> httpx.Response:
        """The answer, as far as it is a success.

        Raises GitHubRateLimited, GitHubUnavailable for what may go better later, GitHubRefused for
        the rest, DeadlineExceeded where the caller's time runs out first.
        """
        seconds = outbound_timeout(TIMEOUT_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                return (await client.arequest(method, path, **options)).raw_response
        except TimeoutError:
            if seconds is not None and seconds < TIMEOUT_SECONDS:
                raise DeadlineExceeded from None
            raise GitHubTimeout from None
        except GitHubException as error:
            # githubkit's errors hold the request with its token: nothing of them is passed on.
            raise _typed(error) from None

    async def get(self, client: GitHub[Any], path: str, **params: Any) -> Any | None:
        """The JSON at a path; None where there is nothing, or nothing for these credentials."""
        try:
            return (await self.request(client, "GET", path, params=params)).json()
        except GitHubRefused as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def pages(
        self, client: GitHub[Any], path: str, key: str | None = None, **params: Any
    ) -> AsyncIterator[list[Any]]:
        """The pages of a list, or of the list below `key`, as their links lead on."""
        params = {"per_page": PAGE_SIZE} | params
        following: str | None = path
        while following is not None:
            answer = await self.request(client, "GET", following, params=params)
            body = answer.json()
            yield body if key is None else body[key]
            following = answer.links.get("next", {}).get("url")
            params = {}  # the link has them

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.close_for_good()


class _KeptTransport(httpx.AsyncHTTPTransport):
    """Outlives githubkit's clients: it makes one a request, and closes what that was given."""

    async def aclose(self) -> None:
        """Nothing: the next request uses the same connections."""

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def close_for_good(self) -> None:
        """Closes the connections."""
        await super().aclose()


def _typed(error: GitHubException) -> Exception:
    if isinstance(error, RateLimitExceeded):
        return GitHubRateLimited(retry_after=max(error.retry_after, timedelta(seconds=1)))
    if isinstance(error, RequestTimeout):
        return GitHubTimeout()
    if not isinstance(error, RequestFailed):
        return GitHubUnavailable()
    status = error.response.status_code
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return GitHubUnavailable(metadata={"status": str(status)})
    return GitHubRefused(status)
