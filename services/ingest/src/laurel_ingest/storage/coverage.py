"""Counts what is known of repositories, in PostgreSQL."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_ingest.application.history.coverage import Counted, RepositoryCoverage
from laurel_ingest.storage.signal_moves import read_along

_PAGE: Final = text(
    """
    WITH own AS (
        SELECT repository_id FROM repository_installations
        WHERE installation_id = :installation_id AND repository_id > :after
        UNION
        SELECT repository_id FROM repository_histories
        WHERE installation_id = :installation_id AND repository_id > :after
        ORDER BY repository_id LIMIT :limit
    ), counted AS (
        SELECT f.repository_id,
            count(*) FILTER (WHERE kind = 'commit' AND (
                body -> 'walked' -> 2 = 'true'::jsonb
                OR (body ? 'on_default_branch' AND NOT body ? 'walked')
            )) AS commits,
            count(*) FILTER (
                WHERE kind = 'pull_request'
                    AND body -> 'is_deleted' -> 2 IS DISTINCT FROM 'true'::jsonb
            ) AS pulls,
            count(*) FILTER (
                WHERE kind = 'issue' AND body -> 'is_deleted' -> 2 IS DISTINCT FROM 'true'::jsonb
            ) AS issues
        FROM repository_facts AS f JOIN own USING (repository_id)
        WHERE kind IN ('commit', 'pull_request', 'issue')
        GROUP BY f.repository_id
    ), span AS (
        SELECT first_event_timestamp AS first, last_event_timestamp AS last
        FROM installation_signal_states WHERE installation_id = :installation_id
    ), newest AS (
        SELECT s.repository_id, max(s.event_timestamp) AS at
        FROM signals AS s JOIN own USING (repository_id)
        WHERE s.installation_id = ANY (CAST(:along AS bigint[]))
            AND s.event_timestamp >= (SELECT first FROM span)
            AND s.event_timestamp <= (SELECT last FROM span)
        GROUP BY s.repository_id
    )
    SELECT own.repository_id, coalesce(c.commits, 0), h.commits_total, coalesce(c.pulls, 0),
        h.pulls_total, coalesce(c.issues, 0), h.issues_total, n.at, h.checked_at,
        coalesce(h.gap, CASE WHEN h.pulls_total IS NULL THEN 'NEVER_READ' ELSE '' END)
    FROM own
    LEFT JOIN repository_histories AS h USING (repository_id)
    LEFT JOIN counted AS c USING (repository_id)
    LEFT JOIN newest AS n USING (repository_id)
    ORDER BY own.repository_id
    """
)


class PostgresCoverage:
    """A CoverageReader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(
        self, installation_id: int, after: int, limit: int
    ) -> Sequence[RepositoryCoverage]:
        """See CoverageReader."""
        values: dict[str, object] = {
            "installation_id": installation_id,
            "after": after,
            "limit": limit,
        }
        async with transaction(self._engine) as connection:
            along = await read_along(connection, installation_id)
            rows = await connection.execute(_PAGE, values | {"along": along})
            return [
                RepositoryCoverage(
                    row[0],
                    Counted(row[1], row[2]),
                    Counted(row[3], row[4]),
                    Counted(row[5], row[6]),
                    *row[7:],
                )
                for row in rows
            ]
