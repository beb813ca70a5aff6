"""Ended sessions and changed access, told to all who keep answers about them, through Redis."""

import asyncio
import json
from collections.abc import Callable, Collection

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

CHANNEL = "laurel:sessions:revoked"
_LISTEN_SECONDS = 1.0
_RETRY_SECONDS = 1.0
# Ids in one message.
_MAX_IDS = 1000

log = structlog.get_logger(__name__)


async def publish_revoked(redis: Redis, session_ids: Collection[str]) -> None:
    """Tells all listeners that nothing they keep about these sessions holds any more."""
    ids = list(session_ids)
    for first in range(0, len(ids), _MAX_IDS):
        await redis.publish(CHANNEL, json.dumps({"sessions": ids[first : first + _MAX_IDS]}))


class RevocationListener:
    """Hands on the ids of revoked sessions; None where some may have been missed.

    What it adds is speed: without Redis, what is kept about a session is dropped by its age.
    """

    def __init__(self, redis: Redis, forget: Callable[[Collection[str] | None], None]) -> None:
        self._redis = redis
        self._forget = forget
        self._listening = asyncio.Event()

    async def listening(self) -> None:
        """Waits until what is published is heard."""
        await self._listening.wait()

    async def run(self) -> None:
        """Listens until it is cancelled."""
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                log.warning("revocations_unheard", error=type(error).__name__)
            except Exception:  # a fault in what one revocation leads to must not end the listening
                log.exception("revocations_unheard")
            self._listening.clear()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self) -> None:
        async with self._redis.pubsub() as subscription:
            await subscription.subscribe(CHANNEL)
            while True:
                message = await subscription.get_message(timeout=_LISTEN_SECONDS)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    # From here on all is heard; whatever was published before was missed. Said
                    # again where the client has made a broken connection anew.
                    self._forget(None)
                    self._listening.set()
                elif message["type"] == "message":
                    self._forget(_ids_in(message["data"]))


def _ids_in(data: bytes) -> Collection[str] | None:
    try:
        return {str(each) for each in json.loads(data)["sessions"]}
    except (ValueError, KeyError, TypeError):
        log.warning("revocation_unreadable")
        return None
