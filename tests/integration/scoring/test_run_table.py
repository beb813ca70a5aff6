"""Runs in PostgreSQL: coalesced, claimed once, true after a crash."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from laurel_common.errors import InstallationNotFound
from laurel_scoring.domain.errors import ScoringNotFound
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.domain.runs import Change, Run, RunResult, RunState
from laurel_scoring.storage.presets import PresetTables
from laurel_scoring.storage.runs import RunTable
from tests.integration.scoring.conftest import Told
from tests.support.database import Database
from tests.support.stack_running import until

_WAITING = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)


async def request(runs: RunTable, installation: int, request_id: str = "") -> Run:
    return await runs.request(installation, request_id=request_id, requested_by="tests", now=NOW)


def jobs(database: Database) -> list[tuple[str, str]]:
    with database.connect() as owner:
        return owner.execute(
            "SELECT status::text, queueing_lock FROM scoring_jobs.procrastinate_jobs ORDER BY id"
        ).fetchall()


async def test_a_request_is_a_waiting_run_and_one_job(
    runs: RunTable, installation: int, database: Database
) -> None:
    run = await request(runs, installation)
    assert (run.state, run.attempts, run.requested_at) == (RunState.QUEUED, 0, NOW)
    assert jobs(database) == [("todo", f"installation:{installation}")]


async def test_what_is_asked_for_while_a_run_waits_is_that_run(
    runs: RunTable, installation: int, database: Database
) -> None:
    answers = await asyncio.gather(*(request(runs, installation) for _ in range(8)))
    assert len({run.id for run in answers}) == 1
    assert len(jobs(database)) == 1


async def test_what_is_asked_for_while_one_runs_is_the_next_run(
    runs: RunTable, installation: int
) -> None:
    first = await request(runs, installation)
    await runs.claim(installation, NOW)
    second = await request(runs, installation)
    assert second.id > first.id
    assert (await request(runs, installation)).id == second.id


async def test_readers_are_told_before_a_worker_can_take_the_run(
    runs: RunTable, told: Told, installation: int, database: Database
) -> None:
    taken: list[Run | None] = []
    claiming: list[asyncio.Task[None]] = []

    async def claim() -> None:
        taken.append(await runs.claim(installation, NOW))

    async def claim_at_once() -> None:
        claiming.append(asyncio.create_task(claim()))
        with database.connect() as owner:
            # A new run is not there yet, a waiting one is held.
            await until(lambda: taken or owner.execute(_WAITING).fetchall(), "a worker tried")

    told.then = claim_at_once
    await request(runs, installation)
    assert taken == [None]
    taken.clear()
    run = await request(runs, installation)
    await asyncio.gather(*claiming)
    assert [each.id for each in taken if each] == [run.id]
    assert told.of == [(installation, Change.SIGNALS)] * 2


async def test_a_repeated_request_is_answered_with_the_same_run(
    runs: RunTable, installation: int
) -> None:
    first = await request(runs, installation, "again")
    await runs.claim(installation, NOW)
    assert (await request(runs, installation, "again")).id == first.id
    assert (await request(runs, installation, "other")).id != first.id


async def test_equal_requests_that_race_get_one_answer(runs: RunTable, installation: int) -> None:
    answers = await asyncio.gather(*(request(runs, installation, "same") for _ in range(8)))
    assert len({run.id for run in answers}) == 1


async def test_an_unknown_installation_can_not_be_scored(runs: RunTable) -> None:
    with pytest.raises(InstallationNotFound):
        await request(runs, 404)


async def test_a_run_of_another_installation_is_not_found(
    runs: RunTable, installation: int
) -> None:
    run = await request(runs, installation)
    with pytest.raises(ScoringNotFound):
        await runs.get(installation + 1, run.id)


async def test_nothing_open_is_nothing_to_claim(runs: RunTable, installation: int) -> None:
    assert await runs.claim(installation, NOW) is None


async def test_a_run_that_a_killed_process_left_is_begun_again(
    runs: RunTable, installation: int
) -> None:
    asked = await request(runs, installation)
    killed = await runs.claim(installation, NOW)
    again = await runs.claim(installation, NOW + timedelta(seconds=20))
    assert killed is not None
    assert again is not None
    assert (again.id, killed.attempts, again.attempts) == (asked.id, 1, 2)


async def test_an_attempt_that_was_thought_dead_changes_nothing_any_more(
    runs: RunTable, installation: int
) -> None:
    await request(runs, installation)
    slow = await runs.claim(installation, NOW)
    again = await runs.claim(installation, NOW)
    assert slow is not None
    assert again is not None
    await runs.fail(slow, "INTERNAL", NOW)
    assert (await runs.get(installation, slow.id)).state is RunState.RUNNING


async def test_a_success_says_what_it_was_made_of(
    runs: RunTable, presets: PresetTables, installation: int
) -> None:
    await presets.ensure_default(installation, DEFAULT_RULES)
    preset = await presets.get(installation, 0)
    await request(runs, installation)
    run = await runs.claim(installation, NOW)
    assert run is not None
    result = RunResult(NOW, preset.id, "mark", 18, 18, 3)
    await runs.succeed(run, result, NOW + timedelta(seconds=1))
    done = await runs.get(installation, run.id)
    assert (done.state, done.finished_at) == (RunState.SUCCEEDED, NOW + timedelta(seconds=1))
    assert (done.as_of, done.preset_id, done.input_mark) == (NOW, preset.id, "mark")
    assert (done.boards_total, done.boards_published, done.signal_count) == (18, 18, 3)
    assert await runs.last_success(preset.id) == done
    assert await runs.claim(installation, NOW) is None


async def test_a_failed_attempt_shows_its_reason_and_has_a_job_for_later(
    runs: RunTable, installation: int, database: Database
) -> None:
    await request(runs, installation)
    with database.connect() as owner:
        owner.execute("SET search_path = scoring_jobs")
        owner.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    run = await runs.claim(installation, NOW)
    assert run is not None
    await runs.retry(run, "DEPENDENCY_UNAVAILABLE", NOW + timedelta(seconds=2))
    waiting = await runs.get(installation, run.id)
    assert (waiting.state, waiting.failure_reason) == (RunState.RUNNING, "DEPENDENCY_UNAVAILABLE")
    with database.connect() as owner:
        scheduled = owner.execute(
            "SELECT scheduled_at FROM scoring_jobs.procrastinate_jobs WHERE status = 'todo'"
        ).fetchall()
    assert scheduled == [(NOW + timedelta(seconds=2),)]


async def test_a_run_given_up_says_why(runs: RunTable, installation: int) -> None:
    await request(runs, installation)
    run = await runs.claim(installation, NOW)
    assert run is not None
    await runs.fail(run, "SCORE_OUT_OF_RANGE", NOW)
    given_up = await runs.get(installation, run.id)
    assert (given_up.state, given_up.failure_reason) == (RunState.FAILED, "SCORE_OUT_OF_RANGE")


async def test_a_request_that_is_rolled_back_leaves_neither_run_nor_job(
    runs: RunTable, installation: int, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = runs._queue.put

    async def put_and_break(*args: object, **kwargs: object) -> None:
        await put(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they came
        raise ConnectionError

    monkeypatch.setattr(runs._queue, "put", put_and_break)
    with pytest.raises(ConnectionError):
        await request(runs, installation)
    assert jobs(database) == []
    assert await runs.open_subjects() == []
