"""Default branches that were rewritten since they were last read, in PostgreSQL."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_ingest.application.history.read_rewritten import PAUSE
from laurel_ingest.domain.history.progress import DOUBT

# What GitHub does not show any more is left to the day's run, and so is what none has read.
_DUE: Final = text(
    """
    SELECT h.installation_id, g.repository_id
    FROM coverage_gaps AS g
    JOIN repository_histories AS h USING (repository_id)
    LEFT JOIN LATERAL (
        SELECT r.requested_at, r.finished_at FROM ingest_runs AS r
        WHERE r.repository_id = g.repository_id AND r.is_urgent
        ORDER BY r.id DESC LIMIT 1
    ) AS last ON true
    WHERE g.reason = 'history_rewritten' AND h.gap IS NULL
        AND h.walked_at < g.last_at + CAST(:doubt AS interval)
        AND (
            last.requested_at IS NULL
            OR last.requested_at < g.last_at + CAST(:doubt AS interval)
            AND last.finished_at + greatest(
                CAST(:pause AS interval), last.finished_at - last.requested_at
            ) <= :now
        )
        AND NOT EXISTS (
            SELECT FROM ingest_runs AS r
            WHERE r.installation_id = h.installation_id AND r.repository_id = g.repository_id
                AND r.state IN ('queued', 'running')
        )
    ORDER BY g.last_at, g.repository_id
    LIMIT :limit
    """
)


class RewrittenTable:
    """Implements RewrittenBranches."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def due(self, now: datetime, limit: int) -> list[tuple[int, int]]:
        """See RewrittenBranches."""
        values = {"now": now, "limit": limit, "doubt": timedelta(seconds=DOUBT), "pause": PAUSE}
        async with transaction(self._engine) as connection:
            return [(row[0], row[1]) for row in await connection.execute(_DUE, values)]
