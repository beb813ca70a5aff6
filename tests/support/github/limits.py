"""Rate limits as GitHub counts them: for each token, over an hour."""

import time
from dataclasses import dataclass

HOUR = 3600


@dataclass
class Bucket:
    """What one token has used since its hour began (seconds since the epoch)."""

    limit: int
    began: float
    used: int = 0

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def reset(self) -> int:
        return int(self.began) + HOUR


class RateLimits:
    """The buckets of all tokens; `limit` is what new ones get."""

    def __init__(self) -> None:
        self.limit = 5000
        self._buckets: dict[str, Bucket] = {}

    def bucket(self, token: str) -> Bucket:
        """The bucket of a token as it stands now."""
        now = time.time()
        bucket = self._buckets.get(token)
        if bucket is None or now >= bucket.reset:
            bucket = self._buckets[token] = Bucket(self.limit, now)
        return bucket

    def headers(self, token: str, resource: str = "core") -> dict[str, str]:
        """The headers that every answer carries."""
        bucket = self.bucket(token)
        return {
            "X-RateLimit-Limit": str(bucket.limit),
            "X-RateLimit-Remaining": str(bucket.remaining),
            "X-RateLimit-Used": str(bucket.used),
            "X-RateLimit-Reset": str(bucket.reset),
            "X-RateLimit-Resource": resource,
        }
