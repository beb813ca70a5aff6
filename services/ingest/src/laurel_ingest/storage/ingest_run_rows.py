"""Ingest runs as they are read: with counts of their repositories, and what is left of the hour."""

from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_ingest.application.errors import IngestNotFound
from laurel_ingest.domain.history.runs import Preset, Run, RunState, Scope, Trouble

_NAMED_TROUBLES: Final = 1_000

_RUNS: Final = """
    SELECT r.*, w.total, w.done, b.remaining
    FROM ingest_runs AS r
    LEFT JOIN github_budgets AS b ON b.installation_id = r.installation_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS total,
            count(*) FILTER (WHERE state NOT IN ('waiting', 'reading')) AS done
        FROM ingest_run_repositories WHERE run_id = r.id
    ) AS w
"""
BY_ID: Final = text(_RUNS + " WHERE r.id = :run_id AND r.installation_id = :installation_id")
BY_REQUEST: Final = text(
    _RUNS
    + """ JOIN ingest_run_requests AS q ON q.run_id = r.id
    WHERE q.installation_id = :installation_id AND q.request_id = :request_id"""
)
PAGE: Final = text(
    _RUNS
    + """ WHERE r.installation_id = :installation_id
        AND r.id < coalesce(CAST(:before AS bigint), 9223372036854775807)
    ORDER BY r.id DESC LIMIT :limit"""
)
_TROUBLES: Final = text(
    """
    SELECT repository_id, full_name, trouble, state = 'left_out'
    FROM ingest_run_repositories
    WHERE run_id = :run_id AND trouble IS NOT NULL
    ORDER BY id LIMIT :limit
    """
)


async def one_run(
    connection: AsyncConnection, installation_id: int, run_id: int, *, troubles: bool = False
) -> Run:
    """A run of an installation. Raises IngestNotFound."""
    values = {"installation_id": installation_id, "run_id": run_id}
    row = (await connection.execute(BY_ID, values)).one_or_none()
    if row is None:
        raise IngestNotFound
    found: tuple[Trouble, ...] = ()
    if troubles:
        rows = await connection.execute(_TROUBLES, {"run_id": run_id, "limit": _NAMED_TROUBLES})
        found = tuple(Trouble(*each) for each in rows)
    return run_of(row, found)


def run_of(row: Any, troubles: tuple[Trouble, ...] = ()) -> Run:
    """A run of its row."""
    return Run(
        id=row.id,
        scope=Scope(row.installation_id, row.team_id, row.repository_id),
        organization_id=row.organization_id,
        state=RunState(row.state),
        preset=Preset(row.preset),
        requested_at=row.requested_at,
        history_since=row.history_since,
        started_at=row.started_at,
        finished_at=row.finished_at,
        is_planned=row.is_planned,
        is_reconciling=row.is_reconciling,
        is_urgent=row.is_urgent,
        attempts=row.attempts,
        repositories_total=row.total,
        repositories_done=row.done,
        new_count=row.new_count,
        changed_count=row.changed_count,
        duplicate_count=row.duplicate_count,
        withdrawn_count=row.withdrawn_count,
        request_count=row.request_count,
        point_count=row.point_count,
        points_left=row.remaining,
        waiting_until=row.waiting_until,
        failure_reason=row.error_reason,
        troubles=troubles,
    )
