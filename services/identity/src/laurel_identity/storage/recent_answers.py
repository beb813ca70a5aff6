"""What was answered within the last minute, kept in Redis for the time that PostgreSQL is away."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from laurel_common.redis import optional
from laurel_sessions import publish_revoked

# A minute, and what an answer may wait until it is written.
KEPT_SECONDS = 65
_FLUSH_SECONDS = 1.0
# Asked about all the time, a session is written once in so many seconds.
_AGAIN_SECONDS = 4.0
_MAX_PENDING = 100_000
_PREFIX = "laurel:identity:recent:"
_REVOKED = "laurel:identity:revoked:"

log = structlog.get_logger(__name__)


class RedisRecentAnswers:
    """Implements RecentAnswers, and Revocations: whatever is revoked stays so for longer than any
    answer is kept, also where an answer was on its way.
    """

    def __init__(self, redis: Redis, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._monotonic = monotonic
        self._pending: dict[str, bytes] = {}
        self._written: dict[str, tuple[bytes, float]] = {}
        self._revoked: set[str] = set()

    def note(self, key: str, answer: bytes) -> None:
        """Keeps an answer for a minute from now."""
        written = self._written.get(key)
        if written is not None and written[0] == answer and self._monotonic() < written[1]:
            return
        if len(self._pending) < _MAX_PENDING:
            self._pending[key] = answer

    async def find(self, session_id: str, key: str) -> bytes | None:
        """The answer, unless the session was revoked since."""
        if session_id in self._revoked:
            return None
        asked = self._redis.mget(_PREFIX + key, _REVOKED + session_id)
        found: Sequence[object] = await optional(asked, [None, None])
        return found[0] if isinstance(found[0], bytes) and found[1] is None else None

    async def revoke(self, session_ids: Collection[str]) -> None:
        """Makes what is kept about these sessions count no more, here and with all listeners;
        tried again until Redis has it.
        """
        self._revoked.update(session_ids)
        await self.flush()

    async def run(self) -> None:
        """Writes what was noted, until it is cancelled."""
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            try:
                await self.flush()
            except Exception:  # a fault in one round must not end all later ones
                log.exception("recent_answers_unwritten")

    async def flush(self) -> None:
        """Writes what was noted and revoked since the last time."""
        pending, self._pending = self._pending, {}
        revoked = set(self._revoked)
        if not pending and not revoked:
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for session_id in revoked:
                    pipeline.set(_REVOKED + session_id, b"1", ex=2 * KEPT_SECONDS)
                for key, answer in pending.items():
                    pipeline.set(_PREFIX + key, answer, ex=KEPT_SECONDS)
                await pipeline.execute()
            await publish_revoked(self._redis, revoked)
        except (RedisError, OSError) as error:
            # Answers are noted again when they are given again; revocations stay until told.
            log.warning("recent_answers_unwritten", error=type(error).__name__)
            return
        self._revoked -= revoked
        self._remember(pending)

    def _remember(self, written: dict[str, bytes]) -> None:
        now = self._monotonic()
        self._written = {key: kept for key, kept in self._written.items() if now < kept[1]}
        until = now + _AGAIN_SECONDS
        self._written.update({key: (answer, until) for key, answer in written.items()})
