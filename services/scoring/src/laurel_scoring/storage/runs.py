"""Runs in PostgreSQL: what is open here is worked on, whatever becomes of the queue's jobs."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import transaction
from laurel_common.errors import InstallationNotFound
from laurel_common.jobs import JobQueue
from laurel_scoring.domain.errors import ScoringNotFound
from laurel_scoring.domain.runs import Change, Phase, Progress, Run, RunReason, RunResult, RunState
from laurel_scoring.domain.schedule import AFTER_FAILURE
from laurel_scoring.domain.vocabulary import TimePeriod
from laurel_scoring.storage.checks import (
    due_periods,
    forget_runs,
    lock_due,
    note_checks,
    put_checks_off,
)
from laurel_scoring.storage.tables import scoring_run_requests, scoring_runs

CONSTRAINTS = {"fk_scoring_runs_installation": InstallationNotFound}
_runs = scoring_runs.c
# Behind whatever somebody waits for.
SCHEDULED_PRIORITY = -10
_OPEN = _runs.state.in_([RunState.QUEUED, RunState.RUNNING])


class RunTable:
    """Implements RunStore, and the worker's OpenWork with installations as its subjects."""

    def __init__(
        self, engine: AsyncEngine, queue: JobQueue, tell: Callable[[int, Change], Awaitable[None]]
    ) -> None:
        """`tell` is awaited for each request, while no worker can take the run yet."""
        self._engine = engine
        self._queue = queue
        self._tell = tell

    async def request(
        self, installation_id: int, *, request_id: str, requested_by: str, now: datetime
    ) -> Run:
        """See RunStore."""
        async with transaction(self._engine, constraints=CONSTRAINTS) as connection:
            if request_id and (known := await _answered(connection, installation_id, request_id)):
                return known
            run = await self.request_with(
                connection, installation_id, requested_by, now, Change.SIGNALS
            )
            if request_id:
                await connection.execute(
                    insert(scoring_run_requests)
                    .values(installation_id=installation_id, request_id=request_id, run_id=run.id)
                    .on_conflict_do_nothing()
                )
                # Of two equal requests that race, both answer what the first one noted.
                run = await _answered(connection, installation_id, request_id) or run
        return run

    async def request_with(
        self,
        connection: AsyncConnection,
        installation_id: int,
        requested_by: str,
        now: datetime,
        change: Change,
    ) -> Run:
        """The waiting run, or a new one, and its job, with the transaction of `connection`.

        Readers are told before it ends: a worker that began first would settle a lower mark than
        theirs, and leave fresh boards marked.
        """
        run = await _queued(connection, installation_id, requested_by, now, RunReason.REQUESTED)
        await self._queue.put(connection, installation_id)
        await self._tell(installation_id, change)
        return run

    async def get(self, installation_id: int, run_id: int) -> Run:
        """See RunStore."""
        query = _select().where(_runs.installation_id == installation_id, _runs.id == run_id)
        async with transaction(self._engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise ScoringNotFound
        return _run(row)

    async def get_many(self, run_ids: Collection[int]) -> dict[int, Run]:
        """See RunStore."""
        query = _select().where(_runs.id.in_(run_ids))
        async with transaction(self._engine) as connection:
            return {row.id: _run(row) for row in await connection.execute(query)}

    async def claim(self, installation_id: int, now: datetime) -> Run | None:
        """See RunStore."""
        oldest = (
            select(_runs.id)
            .where(_runs.installation_id == installation_id, _OPEN)
            .order_by(_runs.id)
            .limit(1)
            .with_for_update()
        )
        async with transaction(self._engine) as connection:
            run_id = await connection.scalar(oldest)
            if run_id is None:
                return None
            row = await connection.execute(
                update(scoring_runs)
                .where(_runs.id == run_id)
                .values(
                    state=RunState.RUNNING,
                    attempts=_runs.attempts + 1,
                    started_at=now,
                    phase=Phase.READING,
                    signal_count=0,
                    signals_expected=0,
                    boards_total=0,
                    boards_published=0,
                )
                .returning(*_columns())
            )
            return _run(row.one())

    async def note(self, run: Run, progress: Progress) -> None:
        """See RunStore."""
        await self._change(
            run,
            phase=progress.phase,
            signal_count=progress.signals_read,
            signals_expected=progress.signals_expected,
            boards_total=progress.boards_total,
            boards_published=progress.boards_published,
        )

    async def succeed(self, run: Run, result: RunResult, now: datetime) -> None:
        """See RunStore."""
        done = _own(run).values(
            state=RunState.SUCCEEDED,
            retry_reason=None,
            phase=None,
            finished_at=now,
            as_of=result.as_of,
            preset_id=result.preset_id,
            input_mark=result.input_mark,
            boards_total=result.boards_total,
            boards_published=result.boards_published,
            signal_count=result.signal_count,
            all_periods=len(result.periods) == len(TimePeriod),
        )
        async with transaction(self._engine) as connection:
            if (await connection.execute(done)).rowcount:
                await note_checks(connection, run.installation_id, result.periods, result.as_of)

    async def retry(self, run: Run, reason: str, at: datetime) -> None:
        """See RunStore."""
        async with transaction(self._engine) as connection:
            await connection.execute(_own(run).values(retry_reason=reason, phase=None))
            await self._queue.put(connection, run.installation_id, at=at)

    async def fail(self, run: Run, reason: str, now: datetime) -> None:
        """See RunStore."""
        given_up = _own(run).values(
            state=RunState.FAILED,
            retry_reason=None,
            phase=None,
            error_reason=reason,
            finished_at=now,
        )
        async with transaction(self._engine) as connection:
            if (await connection.execute(given_up)).rowcount:
                await put_checks_off(connection, run.installation_id, now + AFTER_FAILURE)

    async def last_success(self, preset_id: int) -> Run | None:
        """See RunStore."""
        query = (
            _select()
            .where(
                _runs.preset_id == preset_id,
                _runs.state == RunState.SUCCEEDED,
                _runs.all_periods,
            )
            .order_by(_runs.id.desc())
            .limit(1)
        )
        async with transaction(self._engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _run(row)

    async def open_subjects(self) -> list[int]:
        """The installations that have an open run."""
        async with transaction(self._engine) as connection:
            query = select(_runs.installation_id).where(_OPEN).distinct()
            return list((await connection.execute(query)).scalars())

    async def ensure_job(self, subject_id: int) -> None:
        """Puts a job for an installation whose open run has lost its own."""
        async with transaction(self._engine) as connection:
            await self._queue.put(connection, subject_id)

    async def newest_success(self, installation_id: int) -> int | None:
        """See RunStore."""
        query = (
            select(_runs.id)
            .where(_runs.installation_id == installation_id, _runs.state == RunState.SUCCEEDED)
            .order_by(_runs.id.desc())
            .limit(1)
        )
        async with transaction(self._engine) as connection:
            found: int | None = await connection.scalar(query)
        return found

    async def due_periods(self, installation_id: int, by: datetime) -> frozenset[TimePeriod]:
        """See RunStore."""
        async with transaction(self._engine) as connection:
            return await due_periods(connection, installation_id, by)

    async def request_due(self, now: datetime, *, limit: int) -> int:
        """See RunStore."""
        async with transaction(self._engine) as connection:
            due = await lock_due(connection, now, limit)
            for installation_id in due:
                await _queued(connection, installation_id, "schedule", now, RunReason.SCHEDULED)
                await self._queue.put(connection, installation_id, priority=SCHEDULED_PRIORITY)
            return len(due)

    async def forget_ended(self, before: datetime) -> int:
        """See RunStore."""
        async with transaction(self._engine) as connection:
            return await forget_runs(connection, before)

    async def _change(self, run: Run, **values: Any) -> None:
        async with transaction(self._engine) as connection:
            await connection.execute(_own(run).values(**values))


def _own(run: Run) -> Any:
    """An update of the run as long as its attempt is the last one."""
    return update(scoring_runs).where(
        _runs.id == run.id, _runs.attempts == run.attempts, _runs.state == RunState.RUNNING
    )


def _columns() -> tuple[Any, ...]:
    return (
        _runs.id,
        _runs.installation_id,
        _runs.state,
        _runs.requested_at,
        _runs.attempts,
        _runs.as_of,
        _runs.started_at,
        _runs.finished_at,
        _runs.boards_total,
        _runs.boards_published,
        _runs.signal_count,
        _runs.error_reason,
        _runs.retry_reason,
        _runs.preset_id,
        _runs.input_mark,
        _runs.phase,
        _runs.signals_expected,
        _runs.reason,
    )


def _select() -> Select[Any]:
    return select(*_columns())


async def _answered(
    connection: AsyncConnection, installation_id: int, request_id: str
) -> Run | None:
    requests = scoring_run_requests.c
    query = (
        _select()
        .join(scoring_run_requests, requests.run_id == _runs.id)
        .where(requests.installation_id == installation_id, requests.request_id == request_id)
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _run(row)


async def _queued(
    connection: AsyncConnection,
    installation_id: int,
    requested_by: str,
    now: datetime,
    reason: RunReason,
) -> Run:
    """The installation's waiting run, made if there is none; a scheduled one becomes a requested
    one where it is asked for.

    That setting a column makes the statement return the row that was there, and wait for a worker
    that is just taking it: then it is no longer waiting and another one is made.
    """
    new = insert(scoring_runs).values(
        installation_id=installation_id,
        requested_by=requested_by,
        reason=reason,
        requested_at=now,
    )
    asked_for = new.excluded.reason == RunReason.REQUESTED
    row = await connection.execute(
        new.on_conflict_do_update(
            index_elements=["installation_id"],
            # Written out: once the statement is prepared, a parameter implies no partial index.
            index_where=text("state = 'queued'"),
            set_={"reason": case((asked_for, new.excluded.reason), else_=_runs.reason)},
        ).returning(*_columns())
    )
    return _run(row.one())


def _run(row: Any) -> Run:
    return Run(
        id=row.id,
        installation_id=row.installation_id,
        state=RunState(row.state),
        requested_at=row.requested_at,
        attempts=row.attempts,
        as_of=row.as_of,
        started_at=row.started_at,
        finished_at=row.finished_at,
        boards_total=row.boards_total,
        boards_published=row.boards_published,
        signal_count=row.signal_count,
        failure_reason=row.error_reason or row.retry_reason,
        preset_id=row.preset_id,
        input_mark=row.input_mark,
        phase=None if row.phase is None else Phase(row.phase),
        signals_expected=row.signals_expected,
        reason=RunReason(row.reason),
    )
