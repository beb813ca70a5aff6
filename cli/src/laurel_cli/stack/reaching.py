"""Asks a cache of the user's own whether it is there, before four services wait for it in vain."""

import asyncio
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError

from laurel_cli.errors import CommandError

# One that starts at the same time is waited for; one that is down or elsewhere is told of.
REACH_SECONDS = 5.0
_ANSWER_SECONDS = 2.0
_POLL_SECONDS = 0.1


class UnreachableError(CommandError):
    """A server that was named by its URL does not answer; the text names it, without its login."""


async def reach_cache(url: str, *, seconds: float | None = None) -> None:
    """Waits until the cache answers, five seconds at most unless told; raises UnreachableError."""
    seconds = REACH_SECONDS if seconds is None else seconds
    problem: Exception = TimeoutError()
    try:
        async with asyncio.timeout(seconds), _client(url) as client:
            while True:
                try:
                    await client.ping()
                except AuthenticationError:
                    raise
                except (RedisError, OSError) as error:
                    problem = error
                else:
                    return
                await asyncio.sleep(_POLL_SECONDS)
    except AuthenticationError as error:
        problem = error
    except TimeoutError:
        pass
    why = str(problem) or f"no answer within {seconds:g} s"
    raise UnreachableError(f"the cache at {_address(url)} can't be used: {why} (--redis-url)")


def _client(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_ANSWER_SECONDS,
        retry=Retry(NoBackoff(), retries=0),
    )


def _address(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or parts.path
