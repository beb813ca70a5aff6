"""Ingest runs in PostgreSQL: what is open here is worked on, whatever becomes of the jobs."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_common.errors import InstallationNotFound
from laurel_common.jobs import JobQueue
from laurel_ingest.application.errors import (
    IngestCoolingDown,
    IngestRunning,
    RepositoryNotFound,
    TeamNotFound,
)
from laurel_ingest.application.history.ports import PlannedRepository, RunRequest
from laurel_ingest.domain.history.progress import Probe
from laurel_ingest.domain.history.runs import (
    Run,
    RunState,
    Scope,
    cooldown_ends,
)
from laurel_ingest.storage.ingest_run_rows import BY_REQUEST, PAGE, one_run, run_of
from laurel_ingest.storage.lanes import job_priority

_CONSTRAINTS: Final = {
    "fk_ingest_runs_installation": InstallationNotFound,
    "fk_ingest_runs_organization": InstallationNotFound,
    "fk_ingest_runs_team": TeamNotFound,
    "fk_ingest_runs_repository": RepositoryNotFound,
    "uq_ingest_runs_open_scope": IngestRunning,
}

_LAST_SUCCESS: Final = text(
    """
    SELECT max(last_successful_ingest_at) FROM ingest_log
    WHERE installation_id = :installation_id
        AND team_id IS NOT DISTINCT FROM CAST(:team_id AS bigint)
        AND repository_id IS NOT DISTINCT FROM CAST(:repository_id AS bigint)
    """
)
_INSERT: Final = text(
    """
    INSERT INTO ingest_runs (
        installation_id, organization_id, team_id, repository_id, preset, history_since,
        requested_by, requested_at, is_reconciling, is_urgent
    ) VALUES (
        :installation_id, :organization_id, :team_id, :repository_id, :preset, :since,
        :requested_by, :now, :is_reconciling, :is_urgent
    ) RETURNING id
    """
)
_NOTE_REQUEST: Final = text(
    """
    INSERT INTO ingest_run_requests (installation_id, request_id, run_id)
    VALUES (:installation_id, :request_id, :run_id)
    """
)
_LOCK_REQUEST: Final = text("SELECT pg_advisory_xact_lock(:class, :installation)")
_REQUEST_LOCK: Final = 0x51670003
_CANCEL: Final = text(
    """
    UPDATE ingest_runs SET state = 'cancelled', finished_at = :now, waiting_until = NULL
    WHERE id = :run_id AND installation_id = :installation_id AND state IN ('queued', 'running')
    """
)
_CLAIM: Final = text(
    """
    UPDATE ingest_runs
    SET state = 'running', started_at = coalesce(started_at, :now), attempts = attempts + 1
    WHERE id = :run_id AND state IN ('queued', 'running')
    RETURNING installation_id
    """
)
_PLAN: Final = text(
    """
    INSERT INTO ingest_run_repositories (
        run_id, installation_id, repository_id, full_name, state, probed, trouble, finished_at,
        is_looked_through, is_watched, is_only_watched
    )
    SELECT :run_id, :installation_id, repository_id, full_name, state, CAST(probed AS jsonb),
        trouble, CASE WHEN state = 'waiting' THEN NULL ELSE CAST(:now AS timestamptz) END,
        repository_id = ANY (CAST(:looked_through AS bigint[])),
        repository_id = ANY (CAST(:watched AS bigint[])),
        repository_id = ANY (CAST(:only_watched AS bigint[]))
    FROM unnest(
        CAST(:ids AS bigint[]), CAST(:names AS text[]), CAST(:states AS text[]),
        CAST(:probes AS text[]), CAST(:troubles AS text[])
    ) AS planned (repository_id, full_name, state, probed, trouble)
    ON CONFLICT ON CONSTRAINT uq_ingest_run_repositories_repository DO NOTHING
    RETURNING id, state
    """
)
_PLANNED: Final = text(
    """
    UPDATE ingest_runs SET is_planned = true
    WHERE id = :run_id AND state = 'running' AND NOT is_planned RETURNING id
    """
)
_LOOKED_THROUGH: Final = text(
    """
    UPDATE repository_histories SET looked_through_at = :now
    WHERE repository_id = ANY (CAST(:looked_through AS bigint[]))
    """
)
_POSTPONE: Final = text(
    "UPDATE ingest_runs SET waiting_until = :until WHERE id = :run_id AND state = 'running'"
)
_IS_READ: Final = text(
    """
    SELECT is_planned AND NOT EXISTS (
        SELECT FROM ingest_run_repositories
        WHERE run_id = :run_id AND state IN ('waiting', 'reading')
    ) FROM ingest_runs WHERE id = :run_id
    """
)
_FINISH: Final = text(
    """
    UPDATE ingest_runs
    SET state = :state, error_reason = :reason, finished_at = :now, waiting_until = NULL
    WHERE id = :run_id AND state = 'running' RETURNING id
    """
)
_LOG: Final = {
    "organization": "(installation_id, organization_id)"
    " WHERE team_id IS NULL AND repository_id IS NULL",
    "team": "(installation_id, organization_id, team_id)"
    " WHERE team_id IS NOT NULL AND repository_id IS NULL",
    "repository": "(installation_id, organization_id, repository_id)"
    " WHERE repository_id IS NOT NULL AND team_id IS NULL",
}
_OPEN: Final = text(
    """
    SELECT id FROM ingest_runs AS r WHERE state IN ('queued', 'running') AND NOT (
        is_planned AND EXISTS (
            SELECT FROM ingest_run_repositories
            WHERE run_id = r.id AND state IN ('waiting', 'reading')
        )
    )
    """
)


class RunTable:
    """A RunStore, and the open work of the lane of runs."""

    def __init__(
        self, engine: AsyncEngine, runs: JobQueue, works: JobQueue, urgent: JobQueue
    ) -> None:
        """`urgent`: the lane of those repositories that can't wait for others."""
        self._engine = engine
        self._runs = runs
        self._works = works
        self._urgent = urgent

    async def request(self, asked: RunRequest, organization_id: int, now: datetime) -> Run:
        """See RunStore."""
        scope = asked.scope
        values = _values(scope)
        async with transaction(self._engine, constraints=_CONSTRAINTS) as connection:
            # Two that ask at once take turns: the second one sees what the first one got.
            await connection.execute(
                _LOCK_REQUEST,
                {"class": _REQUEST_LOCK, "installation": scope.installation_id % 2**31},
            )
            if asked.request_id:
                key = {"installation_id": scope.installation_id, "request_id": asked.request_id}
                known = (await connection.execute(BY_REQUEST, key)).one_or_none()
                if known is not None:
                    return run_of(known)
            if not asked.is_forced:
                ends = cooldown_ends(await connection.scalar(_LAST_SUCCESS, values), now)
                if ends is not None:
                    raise IngestCoolingDown(
                        retry_after=ends - now, metadata={"allowed_at": ends.isoformat()}
                    )
            run_id = await connection.scalar(
                _INSERT,
                values
                | {
                    "organization_id": organization_id,
                    "preset": asked.preset,
                    "since": asked.preset.since(now),
                    "requested_by": asked.requested_by,
                    "now": now,
                    "is_reconciling": asked.is_reconciling,
                    "is_urgent": asked.is_urgent,
                },
            )
            if asked.request_id:
                await connection.execute(_NOTE_REQUEST, key | {"run_id": run_id})
            priority = job_priority(is_reconciling=asked.is_reconciling, is_urgent=asked.is_urgent)
            await self._runs.put(connection, int(run_id or 0), priority=priority)
            return await one_run(connection, scope.installation_id, int(run_id or 0))

    async def get(self, installation_id: int, run_id: int) -> Run:
        """See RunStore."""
        async with transaction(self._engine) as connection:
            return await one_run(connection, installation_id, run_id, troubles=True)

    async def page(self, installation_id: int, before: int | None, limit: int) -> Sequence[Run]:
        """See RunStore."""
        values = {"installation_id": installation_id, "before": before, "limit": limit}
        async with transaction(self._engine) as connection:
            return [run_of(row) for row in await connection.execute(PAGE, values)]

    async def cancel(self, installation_id: int, run_id: int, now: datetime) -> Run:
        """See RunStore."""
        values = {"installation_id": installation_id, "run_id": run_id, "now": now}
        async with transaction(self._engine) as connection:
            await connection.execute(_CANCEL, values)
            return await one_run(connection, installation_id, run_id, troubles=True)

    async def claim(self, run_id: int, now: datetime) -> Run | None:
        """See RunStore."""
        async with transaction(self._engine) as connection:
            found = await connection.scalar(_CLAIM, {"run_id": run_id, "now": now})
            return None if found is None else await one_run(connection, found, run_id)

    async def plan(
        self,
        run: Run,
        changed: Sequence[tuple[PlannedRepository, Probe]],
        unchanged: Sequence[PlannedRepository],
        left_out: Sequence[tuple[PlannedRepository, str]],
        now: datetime,
        *,
        looked_through: Collection[int] = (),
        watched: Collection[int] = (),
        only_watched: Collection[int] = (),
    ) -> None:
        """See RunStore."""
        rows: list[tuple[PlannedRepository, str, str | None, str | None]] = [
            (one, "waiting", orjson.dumps(probe.to_json()).decode(), _renamed(one, probe))
            for one, probe in changed
        ]
        rows += [(one, "unchanged", None, None) for one in unchanged]
        rows += [(one, "left_out", None, reason) for one, reason in left_out]
        values = {
            "run_id": run.id,
            "installation_id": run.scope.installation_id,
            "now": now,
            "looked_through": list(looked_through),
            "watched": list(watched),
            "only_watched": list(only_watched),
            "ids": [one.repository_id for one, *_ in rows],
            "names": [one.full_name for one, *_ in rows],
            "states": [state for _, state, *_ in rows],
            "probes": [probed for *_, probed, _ in rows],
            "troubles": [trouble for *_, trouble in rows],
        }
        async with transaction(self._engine) as connection:
            if (await connection.execute(_PLANNED, {"run_id": run.id})).one_or_none() is None:
                return
            if looked_through:
                await connection.execute(
                    _LOOKED_THROUGH, {"looked_through": list(looked_through), "now": now}
                )
            queue = self._urgent if run.is_urgent else self._works
            priority = job_priority(is_reconciling=run.is_reconciling, is_urgent=run.is_urgent)
            for work_id, state in await connection.execute(_PLAN, values):
                if state == "waiting":
                    await queue.put(connection, work_id, priority=priority)

    async def postpone(self, run_id: int, until: datetime) -> None:
        """See RunStore."""
        async with transaction(self._engine) as connection:
            await connection.execute(_POSTPONE, {"run_id": run_id, "until": until})
            await self._runs.put(connection, run_id, at=until)

    async def is_read(self, run_id: int) -> bool:
        """See RunStore."""
        async with transaction(self._engine) as connection:
            return bool(await connection.scalar(_IS_READ, {"run_id": run_id}))

    async def finish(self, run: Run, state: RunState, reason: str | None, now: datetime) -> None:
        """See RunStore."""
        values = {"run_id": run.id, "state": state, "reason": reason, "now": now}
        async with transaction(self._engine) as connection:
            ended = (await connection.execute(_FINISH, values)).one_or_none()
            if ended is not None and state is RunState.SUCCEEDED and not run.is_reconciling:
                await connection.execute(*_log(run, now))

    async def open_subjects(self) -> list[int]:
        """Runs that wait for their own job, not for those of their repositories."""
        async with transaction(self._engine) as connection:
            return list((await connection.execute(_OPEN)).scalars())

    async def ensure_job(self, subject_id: int) -> None:
        """Puts a job for a run that has lost its own."""
        async with transaction(self._engine) as connection:
            await self._runs.put(connection, subject_id)


def _log(run: Run, now: datetime) -> tuple[Any, dict[str, Any]]:
    """An upsert into ingest_log and its values."""
    kind = "team" if run.scope.team_id else "repository" if run.scope.repository_id else ""
    statement = text(
        f"""
        INSERT INTO ingest_log (
            installation_id, organization_id, team_id, repository_id, last_successful_ingest_at,
            ingest_preset, repo_count, signal_count
        ) VALUES (
            :installation_id, :organization_id, :team_id, :repository_id, :now, :preset,
            (SELECT count(*) FROM ingest_run_repositories WHERE run_id = :run_id),
            (SELECT least(new_count + changed_count + duplicate_count, 2147483647)
                FROM ingest_runs WHERE id = :run_id)
        )
        ON CONFLICT {_LOG[kind or "organization"]} DO UPDATE SET
            last_successful_ingest_at = excluded.last_successful_ingest_at,
            ingest_preset = excluded.ingest_preset,
            repo_count = excluded.repo_count,
            signal_count = excluded.signal_count
        """  # noqa: S608 - put together from constants
    )
    return statement, _values(run.scope) | {
        "organization_id": run.organization_id,
        "now": now,
        "preset": run.preset,
        "run_id": run.id,
    }


def _renamed(one: PlannedRepository, probe: Probe) -> str | None:
    return "RENAMED" if one.full_name.lower() != probe.full_name.lower() else None


def _values(scope: Scope) -> dict[str, Any]:
    return {
        "installation_id": scope.installation_id,
        "team_id": scope.team_id,
        "repository_id": scope.repository_id,
    }
