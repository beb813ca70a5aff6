"""The Redis-protocol cache: short timeouts, and a way to live without it while it is away."""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from laurel_common.errors import RetryableError

TIMEOUT_SECONDS = 0.5
MAX_CONNECTIONS = 64

T = TypeVar("T")
log = structlog.get_logger(__name__)


class RedisUnavailable(RetryableError):
    """Redis can't be reached, or did not answer in time."""

    reason = "DEPENDENCY_UNAVAILABLE"
    default_message = "the cache can't be reached"


def create_redis(
    url: str, *, timeout: float = TIMEOUT_SECONDS, max_connections: int = MAX_CONNECTIONS
) -> Redis:
    """A client whose answers are bytes; nothing connects yet.

    `timeout` in seconds bounds connecting and each answer. A connection that the server closed
    meanwhile is replaced once without the caller's notice.
    """
    return Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        max_connections=max_connections,
        health_check_interval=30,
        retry=Retry(NoBackoff(), retries=1),
        retry_on_error=[RedisConnectionError],
        decode_responses=False,
    )


@contextmanager
def redis_errors() -> Iterator[None]:
    """Raises RedisUnavailable for connection failures and timeouts inside."""
    try:
        yield
    except (RedisConnectionError, RedisTimeoutError, OSError) as error:
        raise RedisUnavailable from error


async def optional(call: Awaitable[T], default: T) -> T:
    """What Redis answers, or `default` while it is away: for what can be had elsewhere."""
    try:
        return await call
    except (RedisError, OSError) as error:
        log.warning("redis_skipped", error=type(error).__name__)
        return default
