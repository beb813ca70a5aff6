"""The repositories of runs in PostgreSQL, each read by one attempt at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import transaction
from laurel_common.jobs import JobQueue
from laurel_ingest.application.errors import WorkSuperseded
from laurel_ingest.application.history.github import Points
from laurel_ingest.application.history.ports import Work
from laurel_ingest.application.ports import TypeCounts, UnitOfWork
from laurel_ingest.domain.history.progress import Probe, Progress
from laurel_ingest.storage.histories import note_budget
from laurel_ingest.storage.lanes import job_priority
from laurel_ingest.storage.postgres import PostgresUnit

_CLAIM: Final = text(
    """
    UPDATE ingest_run_repositories AS w SET state = 'reading', attempts = w.attempts + 1
    FROM ingest_runs AS r
    WHERE w.id = :id AND w.state IN ('waiting', 'reading') AND r.id = w.run_id
        AND r.state = 'running'
    RETURNING w.id, w.run_id, w.installation_id, w.repository_id, w.full_name, w.attempts,
        w.failures, w.probed::text, w.progress::text, r.history_since, r.requested_at,
        r.is_reconciling, w.is_looked_through, w.is_watched,
        w.is_only_watched, r.is_urgent
    """
)
_OWN: Final = """
    WHERE w.id = :id AND w.attempts = :attempts AND w.state = 'reading'
        AND EXISTS (SELECT FROM ingest_runs WHERE id = w.run_id AND state = 'running')
"""
_ADVANCE: Final = text(
    f"""
    WITH mine AS (
        UPDATE ingest_run_repositories AS w SET progress = CAST(:progress AS jsonb), failures = 0
        {_OWN} RETURNING run_id
    )
    UPDATE ingest_runs AS r SET
        new_count = new_count + :new, changed_count = changed_count + :changed,
        duplicate_count = duplicate_count + :duplicate,
        withdrawn_count = withdrawn_count + :withdrawn, waiting_until = NULL
    FROM mine WHERE r.id = mine.run_id RETURNING r.id
    """  # noqa: S608 - put together from constants
)
_ANEW: Final = text(
    f"""
    UPDATE ingest_run_repositories AS w
    SET probed = CAST(:probed AS jsonb), progress = CAST(:progress AS jsonb)
    {_OWN} RETURNING run_id
    """  # noqa: S608 - put together from constants
)
_POINTS: Final = text(
    """
    UPDATE ingest_runs
    SET request_count = request_count + :requests, point_count = point_count + :points
    WHERE id = :run_id
    """
)
_POSTPONE: Final = text(
    f"""
    UPDATE ingest_run_repositories AS w
    SET trouble = coalesce(:reason, trouble),
        failures = failures + CASE WHEN CAST(:reason AS text) IS NULL THEN 0 ELSE 1 END
    {_OWN} RETURNING run_id
    """  # noqa: S608 - put together from constants
)
_WAITING: Final = text("UPDATE ingest_runs SET waiting_until = :until WHERE id = :run_id")
_LOCK_RUN: Final = text("SELECT id FROM ingest_runs WHERE id = :run_id FOR UPDATE")
_END: Final = text(
    f"""
    UPDATE ingest_run_repositories AS w
    SET state = :state, trouble = :trouble, finished_at = :now {_OWN} RETURNING run_id
    """  # noqa: S608 - put together from constants
)
_LEFT: Final = text(
    """
    SELECT EXISTS (
        SELECT FROM ingest_run_repositories
        WHERE run_id = :run_id AND state IN ('waiting', 'reading')
    )
    """
)
_OPEN: Final = text(
    """
    SELECT w.id FROM ingest_run_repositories AS w JOIN ingest_runs AS r ON r.id = w.run_id
    WHERE w.state IN ('waiting', 'reading') AND r.state = 'running' AND r.is_urgent = :is_urgent
    """
)


class WorkTable:
    """A WorkStore."""

    def __init__(
        self, engine: AsyncEngine, works: JobQueue, urgent: JobQueue, runs: JobQueue
    ) -> None:
        self._engine = engine
        self._works = works
        self._urgent = urgent
        self._runs = runs

    async def claim(self, work_id: int) -> Work | None:
        """See WorkStore."""
        async with transaction(self._engine) as connection:
            row = (await connection.execute(_CLAIM, {"id": work_id})).one_or_none()
        if row is None:
            return None
        progress = None if row.progress is None else Progress.from_json(orjson.loads(row.progress))
        return Work(
            id=row.id,
            run_id=row.run_id,
            installation_id=row.installation_id,
            repository_id=row.repository_id,
            full_name=row.full_name,
            attempts=row.attempts,
            failures=row.failures,
            probe=Probe(**orjson.loads(row.probed)),
            progress=progress,
            since=row.history_since,
            requested_at=row.requested_at,
            is_reconciling=row.is_reconciling,
            is_looked_through=row.is_looked_through,
            is_watched=row.is_watched,
            is_only_watched=row.is_only_watched,
            is_urgent=row.is_urgent,
        )

    async def advance(
        self,
        unit: UnitOfWork,
        work: Work,
        progress: Progress,
        counts: Mapping[str, TypeCounts],
        withdrawn: int,
    ) -> None:
        """See WorkStore."""
        values = _own(work) | {
            "progress": orjson.dumps(progress.to_json()).decode(),
            "new": sum(each.new for each in counts.values()),
            "changed": sum(each.changed for each in counts.values()),
            "duplicate": sum(each.duplicate for each in counts.values()),
            "withdrawn": withdrawn,
        }
        connection = cast(PostgresUnit, unit).connection
        if (await connection.execute(_ADVANCE, values)).one_or_none() is None:
            raise WorkSuperseded

    async def note_asked(
        self, unit: UnitOfWork, work: Work, asked: Sequence[Points], listed: int
    ) -> None:
        """See WorkStore."""
        requests = len(asked) + listed
        if not requests:
            return
        connection = cast(PostgresUnit, unit).connection
        cost = sum(points.cost for points in asked)
        values = {"run_id": work.run_id, "requests": requests, "points": cost}
        await connection.execute(_POINTS, values)
        if asked:
            await note_budget(connection, work.installation_id, asked[-1])

    async def begin_anew(self, work: Work) -> None:
        """See WorkStore."""
        progress = None if work.progress is None else work.progress.to_json()
        values = _own(work) | {
            "probed": orjson.dumps(work.probe.to_json()).decode(),
            "progress": orjson.dumps(progress).decode(),
        }
        async with transaction(self._engine) as connection:
            await _mine(connection, _ANEW, values)

    async def postpone(self, work: Work, until: datetime, *, reason: str | None) -> None:
        """See WorkStore."""
        async with transaction(self._engine) as connection:
            values = _own(work) | {"reason": reason}
            await _mine(connection, _POSTPONE, values)
            if reason is None:
                await connection.execute(_WAITING, {"run_id": work.run_id, "until": until})
            queue = self._urgent if work.is_urgent else self._works
            priority = job_priority(is_reconciling=work.is_reconciling, is_urgent=work.is_urgent)
            await queue.put(connection, work.id, at=until, priority=priority)

    async def end(
        self, work: Work, now: datetime, *, left_out: str | None, note: str | None
    ) -> None:
        """See WorkStore."""
        values = _own(work) | {
            "state": "left_out" if left_out else "done",
            "trouble": left_out or note,
            "now": now,
        }
        async with transaction(self._engine) as connection:
            # The last two take turns, so that one of them sees that it is the last.
            await connection.execute(_LOCK_RUN, {"run_id": work.run_id})
            await _mine(connection, _END, values)
            if not await connection.scalar(_LEFT, {"run_id": work.run_id}):
                await self._runs.put(connection, work.run_id)


class OpenWorks:
    """The open work of one of the two lanes of repositories."""

    def __init__(self, engine: AsyncEngine, queue: JobQueue, *, is_urgent: bool) -> None:
        self._engine = engine
        self._queue = queue
        self._is_urgent = is_urgent

    async def open_subjects(self) -> list[int]:
        """Repositories that are left to be read."""
        async with transaction(self._engine) as connection:
            found = await connection.execute(_OPEN, {"is_urgent": self._is_urgent})
            return list(found.scalars())

    async def ensure_job(self, subject_id: int) -> None:
        """Puts a job for a repository that has lost its own."""
        async with transaction(self._engine) as connection:
            await self._queue.put(connection, subject_id)


async def _mine(connection: AsyncConnection, statement: Any, values: dict[str, Any]) -> None:
    if (await connection.execute(statement, values)).one_or_none() is None:
        raise WorkSuperseded


def _own(work: Work) -> dict[str, Any]:
    return {"id": work.id, "attempts": work.attempts}
