"""The worker: works runs off, begins again what a killed one left, puts back lost jobs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from procrastinate.exceptions import ConnectorException

from laurel_common.jobs import JobQueue, Worker
from laurel_scoring.domain.runs import RunState
from laurel_scoring.storage.runs import RunTable
from tests.support.database import Database

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)


async def ready() -> None:
    """Nothing has to be compiled here."""


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def working(queue: JobQueue, runs: RunTable) -> AsyncIterator[Worker]:
    worker = Worker(queue, runs)
    worker.start(ready)
    try:
        yield worker
    finally:
        await worker.stop()


async def ask(runs: RunTable, installation: int) -> int:
    run = await runs.request(installation, request_id="", requested_by="tests", now=NOW)
    return run.id


async def test_a_request_is_worked_on(runs: RunTable, queue: JobQueue, installation: int) -> None:
    worked: list[int] = []

    async def work(installation_id: int) -> None:
        worked.append(installation_id)

    queue.register(work)
    async with working(queue, runs):
        await ask(runs, installation)
        await until(lambda: worked == [installation])


async def test_one_installation_is_worked_on_once_at_a_time(
    runs: RunTable, queue: JobQueue, installation: int
) -> None:
    at_once, most, ended = 0, 0, 0

    async def work(installation_id: int) -> None:
        nonlocal at_once, most, ended
        at_once += 1
        most = max(most, at_once)
        await runs.claim(installation_id, NOW)
        await asyncio.sleep(0.05)
        at_once -= 1
        ended += 1

    queue.register(work)
    async with working(queue, runs):
        await ask(runs, installation)
        await until(lambda: at_once == 1)
        await ask(runs, installation)
        await until(lambda: ended == 2)
    assert most == 1


async def test_a_job_of_a_dead_worker_is_closed_and_its_run_gets_a_new_one(
    runs: RunTable, queue: JobQueue, installation: int, database: Database
) -> None:
    run_id = await ask(runs, installation)
    await runs.claim(installation, NOW)
    with database.connect() as owner:
        owner.execute("SET search_path = scoring_jobs")
        owner.execute(
            "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - interval '1 hour') RETURNING id)"
            " UPDATE procrastinate_jobs SET status = 'doing', worker_id = dead.id FROM dead"
        )
    await Worker(queue, runs).sweep()
    with database.connect() as owner:
        jobs = owner.execute("SELECT status::text FROM scoring_jobs.procrastinate_jobs").fetchall()
    assert jobs == [("todo",)]
    again = await runs.claim(installation, NOW)
    assert again is not None
    assert (again.id, again.attempts) == (run_id, 2)


async def test_an_open_run_that_lost_its_job_gets_one(
    runs: RunTable, queue: JobQueue, installation: int, database: Database
) -> None:
    await ask(runs, installation)
    with database.connect() as owner:
        owner.execute("SET search_path = scoring_jobs")
        owner.execute("DELETE FROM procrastinate_jobs")
    worker = Worker(queue, runs)
    await worker.sweep()
    await worker.sweep()
    with database.connect() as owner:
        jobs = owner.execute("SELECT status::text FROM scoring_jobs.procrastinate_jobs").fetchall()
    assert jobs == [("todo",)]


async def test_a_job_that_waits_for_its_time_is_not_lost(
    runs: RunTable, queue: JobQueue, installation: int, database: Database
) -> None:
    await ask(runs, installation)
    run = await runs.claim(installation, NOW)
    assert run is not None
    with database.connect() as owner:
        owner.execute("SET search_path = scoring_jobs")
        owner.execute("DELETE FROM procrastinate_jobs")
    await runs.retry(run, "DEPENDENCY_UNAVAILABLE", datetime(2999, 1, 1, tzinfo=UTC))
    await Worker(queue, runs).sweep()
    with database.connect() as owner:
        jobs = owner.execute("SELECT scheduled_at FROM scoring_jobs.procrastinate_jobs").fetchall()
    assert jobs == [(datetime(2999, 1, 1, tzinfo=UTC),)]


async def test_a_worker_that_stops_cuts_off_what_takes_too_long_and_leaves_it_open(
    runs: RunTable, queue: JobQueue, installation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laurel_common.jobs.worker.STOP_SECONDS", 0.1)
    begun = asyncio.Event()

    async def work(installation_id: int) -> None:
        await runs.claim(installation_id, NOW)
        begun.set()
        await asyncio.Event().wait()

    queue.register(work)
    async with asyncio.timeout(20), working(queue, runs):
        run_id = await ask(runs, installation)
        await begun.wait()
    assert (await runs.get(installation, run_id)).state is RunState.RUNNING
    assert await runs.open_subjects() == [installation]


async def test_what_a_stopping_worker_cut_off_is_begun_again_by_the_next(
    runs: RunTable, queue: JobQueue, installation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laurel_common.jobs.worker.STOP_SECONDS", 0.1)
    attempts: list[int] = []

    async def work(installation_id: int) -> None:
        run = await runs.claim(installation_id, NOW)
        assert run is not None
        attempts.append(run.attempts)
        if run.attempts == 1:
            await asyncio.Event().wait()

    queue.register(work)
    async with working(queue, runs):
        await ask(runs, installation)
        await until(lambda: attempts == [1])
    async with working(queue, runs):
        await until(lambda: attempts == [1, 2])


async def test_a_job_whose_end_could_not_be_written_does_not_hold_its_installation(
    runs: RunTable, queue: JobQueue, installation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked: list[int] = []
    lost: list[object] = []

    async def work(installation_id: int) -> None:
        await runs.claim(installation_id, NOW)
        worked.append(installation_id)

    finish = queue.app.job_manager.finish_job

    async def fail_once(**given: Any) -> None:
        if not lost:
            lost.append(given)
            raise ConnectorException
        await finish(**given)

    monkeypatch.setattr(queue.app.job_manager, "finish_job", fail_once)
    queue.register(work)
    async with working(queue, runs):
        await ask(runs, installation)
        await until(lambda: bool(lost))
        await ask(runs, installation)
        await until(lambda: len(worked) >= 2)


async def test_a_job_that_was_lost_on_its_way_to_the_worker_is_given_out_again(
    runs: RunTable, queue: JobQueue, installation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked: list[int] = []
    lost: list[object] = []

    async def work(installation_id: int) -> None:
        worked.append(installation_id)

    fetch = queue.app.job_manager.fetch_job

    async def lose_once(**given: Any) -> object:
        job = await fetch(**given)
        if job is not None and not lost:
            lost.append(job)
            raise ConnectorException
        return job

    monkeypatch.setattr(queue.app.job_manager, "fetch_job", lose_once)
    queue.register(work)
    async with working(queue, runs):
        await ask(runs, installation)
        await until(lambda: bool(lost))
        await until(lambda: worked == [installation])
