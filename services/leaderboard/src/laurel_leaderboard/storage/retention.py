"""Expires and purges versions in PostgreSQL."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction

# Held to the end of the transaction: two replicas never do the same work.
_LOCK = text(
    "SELECT pg_try_advisory_xact_lock(hashtextextended('laurel.leaderboard.retention', 0))"
)
_EXPIRE = text(
    "UPDATE leaderboard_materializations SET retention_state = 'expired'"
    " WHERE retention_state = 'superseded' AND retention_expires_at <= :now"
)
_PURGE = text("SELECT purge_superseded_materializations(:purge_before)")
_END_OF_SLICE = text(
    "SELECT max(retention_expires_at) FROM (SELECT retention_expires_at"
    " FROM leaderboard_materializations"
    " WHERE retention_state IN ('superseded', 'expired') AND retention_expires_at < :before"
    " ORDER BY retention_expires_at LIMIT :limit) oldest"
)
# The function purges what ran out before an instant, that instant not included.
_TICK = timedelta(microseconds=1)


class PostgresRetention:
    """The end of versions' life, by the reference's function."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def retire(self, now: datetime, purge_before: datetime) -> tuple[int, int]:
        """Expires superseded versions past their time, purges what expired before `purge_before`.

        Returns how many of each. Does nothing where another replica is at it.
        """
        async with transaction(self._engine) as connection:
            if not (await connection.execute(_LOCK)).scalar_one():
                return 0, 0
            expired = (await connection.execute(_EXPIRE, {"now": now})).rowcount
        async with transaction(self._engine) as connection:
            if not (await connection.execute(_LOCK)).scalar_one():
                return expired, 0
            found = await connection.execute(_PURGE, {"purge_before": purge_before})
            return expired, int(found.scalar_one())

    async def purge_slice(self, before: datetime, limit: int) -> int:
        """Purges the versions whose retention ran out first before `before`: about `limit`, and
        all that share an instant. Returns how many; 0 means that none is left.
        """
        async with transaction(self._engine) as connection:
            found = await connection.execute(_END_OF_SLICE, {"before": before, "limit": limit})
            end = found.scalar_one()
            if end is None:
                return 0
            purged = await connection.execute(_PURGE, {"purge_before": end + _TICK})
            return int(purged.scalar_one())
