"""Counts what is known of repositories, in PostgreSQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.clock import Clock
from laurel_common.db import transaction
from laurel_ingest.application.history.coverage import Counted, RepositoryCoverage
from laurel_ingest.domain.history.coverage import RepositoryState
from laurel_ingest.storage.fact_counts import COMMITS, ISSUES, KINDS, PULLS
from laurel_ingest.storage.signal_moves import read_along

_PAGE: Final = text(
    f"""
    WITH own AS (
        SELECT repository_id FROM repository_installations
        WHERE installation_id = :installation_id AND repository_id > :after
        UNION
        SELECT repository_id FROM repository_histories
        WHERE installation_id = :installation_id AND repository_id > :after
        ORDER BY repository_id LIMIT :limit
    ), counted AS (
        SELECT f.repository_id, {COMMITS} AS commits, {PULLS} AS pulls, {ISSUES} AS issues
        FROM repository_facts AS f JOIN own USING (repository_id)
        WHERE f.kind IN {KINDS}
        GROUP BY f.repository_id
    )
    SELECT own.repository_id, coalesce(c.commits, 0), h.commits_total, coalesce(c.pulls, 0),
        h.pulls_total, coalesce(c.issues, 0), h.issues_total, h.checked_at,
        coalesce(h.gap, CASE WHEN h.pulls_total IS NULL THEN 'NEVER_READ' ELSE '' END)
    FROM own
    LEFT JOIN repository_histories AS h USING (repository_id)
    LEFT JOIN counted AS c USING (repository_id)
    ORDER BY own.repository_id
    """  # noqa: S608 - put together from constants
)
# What a complete run has read since a source lacked something is there.
_STATES: Final = text(
    """
    WITH own AS (
        SELECT repository_id FROM repository_installations
        WHERE installation_id = :installation_id
            AND coalesce(repository_id = ANY (CAST(:ids AS bigint[])), true)
        UNION
        SELECT repository_id FROM repository_histories
        WHERE installation_id = :installation_id
            AND coalesce(repository_id = ANY (CAST(:ids AS bigint[])), true)
    ), lacking AS (
        SELECT g.repository_id, array_agg(g.reason) AS reasons, array_agg(g.last_at) AS times
        FROM coverage_gaps AS g JOIN own USING (repository_id)
        LEFT JOIN repository_histories AS h USING (repository_id)
        WHERE h.pulls_total IS NULL OR g.last_at > h.checked_at
        GROUP BY g.repository_id
    ), waiting AS (
        SELECT DISTINCT w.repository_id
        FROM ingest_runs AS r JOIN ingest_run_repositories AS w ON w.run_id = r.id
        WHERE r.installation_id = :installation_id AND r.state = 'running'
            AND r.waiting_until > :now AND w.state IN ('waiting', 'reading')
    )
    SELECT own.repository_id, h.pulls_total IS NOT NULL, h.gap, l.reasons, l.times,
        w.repository_id IS NOT NULL,
        coalesce(h.commits_known, h.commits_total, 0) + coalesce(h.pulls_known, h.pulls_total, 0)
            + coalesce(h.issues_known, h.issues_total, 0),
        coalesce(h.commits_total, 0) + coalesce(h.pulls_total, 0) + coalesce(h.issues_total, 0)
    FROM own
    LEFT JOIN repository_histories AS h USING (repository_id)
    LEFT JOIN lacking AS l USING (repository_id)
    LEFT JOIN waiting AS w USING (repository_id)
    ORDER BY own.repository_id
    """
)
_LAST: Final = text(
    "SELECT last_event_timestamp FROM installation_signal_states"
    " WHERE installation_id = :installation_id"
)
# From the newest partition down to the first signal of each; bounded, so that no other is locked.
_LAST_OF: Final = text(
    """
    SELECT own.repository_id, newest.at
    FROM installation_signal_states AS i
    CROSS JOIN unnest(CAST(:ids AS bigint[])) AS own (repository_id)
    CROSS JOIN LATERAL (
        SELECT s.event_timestamp AS at FROM signals AS s
        WHERE s.installation_id = ANY (CAST(:along AS bigint[]))
            AND s.repository_id = own.repository_id
            AND s.event_timestamp BETWEEN i.first_event_timestamp AND i.last_event_timestamp
        ORDER BY s.event_timestamp DESC LIMIT 1
    ) AS newest
    WHERE i.installation_id = :installation_id
    """
)


class PostgresCoverage:
    """A CoverageReader."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def page(
        self, installation_id: int, after: int, limit: int
    ) -> Sequence[RepositoryCoverage]:
        """See CoverageReader."""
        values = {"installation_id": installation_id, "after": after, "limit": limit}
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(_PAGE, values)).all()
            ids = [row[0] for row in rows]
            states = {
                each.repository_id: each
                for each in await self._states(connection, installation_id, ids)
            }
            newest = await _last_of(connection, installation_id, ids)
        return [
            RepositoryCoverage(
                row[0],
                Counted(row[1], row[2]),
                Counted(row[3], row[4]),
                Counted(row[5], row[6]),
                newest.get(row[0]),
                row[7],
                row[8],
                states[row[0]].gaps() if row[0] in states else {},
            )
            for row in rows
        ]

    async def states(
        self, installation_id: int, ids: Collection[int] | None
    ) -> tuple[Sequence[RepositoryState], datetime | None]:
        """See CoverageReader."""
        async with transaction(self._engine) as connection:
            states = await self._states(connection, installation_id, ids)
            if ids is None:
                last = await connection.scalar(_LAST, {"installation_id": installation_id})
            else:
                own = [each.repository_id for each in states]
                newest = await _last_of(connection, installation_id, own)
                last = max(newest.values(), default=None)
        return states, last

    async def _states(
        self, connection: AsyncConnection, installation_id: int, ids: Collection[int] | None
    ) -> list[RepositoryState]:
        values = {
            "installation_id": installation_id,
            "ids": None if ids is None else list(ids),
            "now": self._clock.now(),
        }
        return [
            RepositoryState(
                repository_id,
                is_read,
                trouble,
                dict(zip(reasons or (), times or (), strict=True)),
                *rest,
            )
            for repository_id, is_read, trouble, reasons, times, *rest in await connection.execute(
                _STATES, values
            )
        ]


async def _last_of(
    connection: AsyncConnection, installation_id: int, ids: Sequence[int]
) -> dict[int, datetime]:
    """The newest signal's time of each repository that has one."""
    along = await read_along(connection, installation_id)
    values = {"installation_id": installation_id, "ids": list(ids), "along": along}
    return {row[0]: row[1] for row in await connection.execute(_LAST_OF, values)}
