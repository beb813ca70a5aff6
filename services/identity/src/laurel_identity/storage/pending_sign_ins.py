"""What has to stay secret until somebody comes back from GitHub: in Redis, taken once."""

import json

from redis.asyncio import Redis

from laurel_common.redis import redis_errors
from laurel_identity.application.sign_in_ports import PendingSignIn

_PREFIX = "laurel:identity:sign-in:"


class RedisPendingSignIns:
    """A PendingSignIns. Redis being away is an error: a state could not be told to be unused."""

    def __init__(self, redis: Redis, *, seconds: int) -> None:
        self._redis = redis
        self._seconds = seconds

    async def put(self, nonce: str, pending: PendingSignIn) -> None:
        """Keeps one under its nonce."""
        kept = json.dumps([pending.verifier, pending.csrf_token, pending.return_to])
        with redis_errors():
            await self._redis.set(_PREFIX + nonce, kept, ex=self._seconds)

    async def take(self, nonce: str) -> PendingSignIn | None:
        """Hands it out once."""
        with redis_errors():
            kept = await self._redis.getdel(_PREFIX + nonce)
        return None if kept is None else PendingSignIn(*json.loads(kept))
