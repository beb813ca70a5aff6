"""Requests to GitHub through githubkit, ending in typed errors."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from githubkit import GitHub, TokenAuthStrategy
from githubkit.config import get_config
from githubkit.exception import (
    GitHubException,
    GraphQLFailed,
    PrimaryRateLimitExceeded,
    RateLimitExceeded,
    RequestFailed,
    RequestTimeout,
)
from githubkit.graphql import GraphQLError
from githubkit.throttling import LocalThrottler

from laurel_common.clock import Clock
from laurel_ingest.application.history.github import (
    GitHubRateLimited,
    GitHubRefused,
    GitHubUnavailable,
    InstallationTokens,
    Points,
    TooHeavyError,
)
from laurel_ingest.domain.history.budget import SECONDARY_PAUSE

TIMEOUT_SECONDS: Final = 30.0
# GitHub allows a hundred requests at once for everything that uses the App.
_AT_ONCE: Final = 20
_NOT_THERE: Final = {"NOT_FOUND", "FORBIDDEN"}
_HEAVY: Final = {
    httpx.codes.BAD_GATEWAY,
    httpx.codes.SERVICE_UNAVAILABLE,
    httpx.codes.GATEWAY_TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query brought; of what is not there, null."""

    data: dict[str, Any]
    points: Points


class Connections:
    """One pool of connections to one GitHub, whatever installation asks."""

    def __init__(self, api_url: str, tokens: InstallationTokens, clock: Clock) -> None:
        self.tokens = tokens
        self._clock = clock
        self._transport = _KeptTransport()
        self._config = get_config(
            base_url=api_url,
            user_agent="laurel",
            timeout=TIMEOUT_SECONDS,
            async_transport=self._transport,
            http_cache=False,
            throttler=LocalThrottler(_AT_ONCE),
            auto_retry=False,
        )

    def client(self, token: str) -> GitHub[Any]:
        """githubkit with a token."""
        return GitHub(TokenAuthStrategy(token), config=self._config)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.close_for_good()

    def typed(self, error: GitHubException) -> Exception:
        """The error as GitHubHistory names it. githubkit's own hold the request with its token:
        nothing of them is passed on.
        """
        if isinstance(error, RateLimitExceeded):
            pause = error.retry_after
            if not isinstance(error, PrimaryRateLimitExceeded) and not pause:
                pause = SECONDARY_PAUSE
            return GitHubRateLimited(self._clock.now() + max(pause, timedelta(seconds=1)))
        if isinstance(error, RequestTimeout):
            return TooHeavyError()
        if not isinstance(error, RequestFailed):
            return GitHubUnavailable()
        status = error.response.status_code
        if status in _HEAVY:
            return TooHeavyError()
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return GitHubUnavailable(metadata={"status": str(status)})
        refused = UnauthorizedError if status == httpx.codes.UNAUTHORIZED else GitHubRefused
        return refused(metadata={"status": str(status)})


class GraphQL:
    """GitHub's GraphQL, asked with installations' tokens."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def ask(self, installation_id: int, query: str, variables: Mapping[str, Any]) -> Answer:
        """The answer to a query. Raises as GitHubHistory says, but for GoneError."""
        tokens = self._connections.tokens
        token = await tokens.token(installation_id)
        try:
            return await self._ask(token, query, variables)
        except UnauthorizedError:
            # Revoked before its time: whoever keeps it does not know.
            token = await tokens.token(installation_id, refused=token)
            return await self._ask(token, query, variables)

    async def _ask(self, token: str, query: str, variables: Mapping[str, Any]) -> Answer:
        client = self._connections.client(token)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                data = await client.async_graphql(query, dict(variables))
        except TimeoutError:
            raise TooHeavyError from None
        except GraphQLFailed as error:
            data = _partial(error.response.data, error.response.errors or [])
        except GitHubException as error:
            raise self._connections.typed(error) from None
        return Answer(data, _points(data))


class UnauthorizedError(GitHubRefused):
    """The token itself is not taken."""


def _partial(data: dict[str, Any] | None, errors: list[GraphQLError]) -> dict[str, Any]:
    """What there is beside nulls for things that are not there; any other error spoils it all."""
    kinds = {error.type for error in errors}
    if data is not None and data.get("rateLimit") and kinds <= _NOT_THERE:
        return data
    if kinds <= {None, "RESOURCE_LIMITS_EXCEEDED", "TIMEOUT", "MAX_NODE_LIMIT_EXCEEDED"}:
        # "Something went wrong while executing your query" is how a timeout reads.
        raise TooHeavyError
    raise GitHubRefused(metadata={"errors": ", ".join(sorted(str(kind) for kind in kinds))})


def _points(data: Mapping[str, Any]) -> Points:
    told = data["rateLimit"]
    reset_at = datetime.fromisoformat(told["resetAt"])
    return Points(told["cost"], told["limit"], told["remaining"], reset_at)


class _KeptTransport(httpx.AsyncHTTPTransport):
    """Outlives githubkit's clients: it makes one a request, and closes what that was given."""

    async def aclose(self) -> None:
        """Nothing: the next request uses the same connections."""

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def close_for_good(self) -> None:
        """Closes the connections."""
        await super().aclose()
