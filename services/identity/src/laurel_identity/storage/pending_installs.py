"""Which installs have begun and not come back: in Redis, each taken once."""

from redis.asyncio import Redis

from laurel_common.redis import redis_errors

_PREFIX = "laurel:identity:install:"


class RedisPendingInstalls:
    """PendingInstalls. Redis being away is an error: a state could not be told to be unused."""

    def __init__(self, redis: Redis, *, seconds: int) -> None:
        self._redis = redis
        self._seconds = seconds

    async def put(self, nonce: str) -> None:
        """Notes that one has begun."""
        with redis_errors():
            await self._redis.set(_PREFIX + nonce, b"1", ex=self._seconds)

    async def take(self, nonce: str) -> bool:
        """Whether it was there; it is not any more."""
        with redis_errors():
            return await self._redis.getdel(_PREFIX + nonce) is not None
