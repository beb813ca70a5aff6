"""The schedule in PostgreSQL: what is due is asked for once, whoever looks, and old runs go."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from procrastinate import periodic

from laurel_common.jobs import JobQueue, Worker
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.domain.runs import Run, RunReason, RunResult
from laurel_scoring.domain.vocabulary import TimePeriod
from laurel_scoring.storage.presets import PresetTables
from laurel_scoring.storage.queue import LANE
from laurel_scoring.storage.runs import RunTable
from tests.support.database import Database

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def scored(
    runs: RunTable,
    presets: PresetTables,
    installation: int,
    as_of: datetime = NOON,
    periods: Collection[TimePeriod] = tuple(TimePeriod),
) -> Run:
    """A run that succeeded."""
    await presets.ensure_default(installation, DEFAULT_RULES)
    preset = await presets.get(installation, 0)
    await runs.request(installation, request_id="", requested_by="tests", now=as_of)
    run = await runs.claim(installation, as_of)
    assert run is not None
    await runs.succeed(run, RunResult(as_of, preset.id, "m", 1, 1, 1, frozenset(periods)), as_of)
    return run


async def test_nothing_is_due_before_its_time_and_then_the_narrow_windows_first(
    runs: RunTable, presets: PresetTables, installation: int
) -> None:
    await scored(runs, presets, installation)
    assert await runs.request_due(NOON + 7 * MINUTE, limit=10) == 0
    assert await runs.request_due(NOON + 8 * MINUTE, limit=10) == 1
    run = await runs.claim(installation, NOON)
    assert run is not None
    assert run.reason is RunReason.SCHEDULED
    due = [await runs.due_periods(installation, NOON + n * MINUTE) for n in (8, 58, 360)]
    assert due == [
        {TimePeriod.TODAY},
        {TimePeriod.TODAY, TimePeriod.WEEK},
        {TimePeriod.TODAY, TimePeriod.WEEK, TimePeriod.MONTH},
    ]


async def test_many_who_look_at_once_ask_for_one_run(
    runs: RunTable, presets: PresetTables, installation: int, database: Database
) -> None:
    await scored(runs, presets, installation)
    later = NOON + 9 * MINUTE
    asked = await asyncio.gather(*(runs.request_due(later, limit=10) for _ in range(6)))
    assert sorted(asked) == [0, 0, 0, 0, 0, 1]
    # What is being worked on is not asked for either.
    await runs.claim(installation, later)
    assert await runs.request_due(later, limit=10) == 0
    with database.connect() as owner:
        (count,) = owner.execute("SELECT count(*) FROM scoring_runs").fetchone() or (0,)
    assert count == 2


async def test_a_scheduled_run_that_is_asked_for_computes_everything(
    runs: RunTable, presets: PresetTables, installation: int
) -> None:
    await scored(runs, presets, installation)
    await runs.request_due(NOON + 8 * MINUTE, limit=10)
    await runs.request(installation, request_id="", requested_by="tests", now=NOON)
    run = await runs.claim(installation, NOON)
    assert run is not None
    assert run.reason is RunReason.REQUESTED


async def test_a_partial_success_moves_its_periods_alone_and_explains_nothing(
    runs: RunTable, presets: PresetTables, installation: int
) -> None:
    whole = await scored(runs, presets, installation)
    at = NOON + 58 * MINUTE
    part = await scored(runs, presets, installation, at, [TimePeriod.TODAY, TimePeriod.WEEK])
    assert await runs.due_periods(installation, at + 7 * MINUTE) == frozenset()
    preset = (await runs.get(installation, part.id)).preset_id or 0
    last = await runs.last_success(preset)
    assert last is not None
    assert last.id == whole.id


async def test_an_installation_that_was_given_up_is_left_alone_for_an_hour(
    runs: RunTable, presets: PresetTables, installation: int
) -> None:
    await scored(runs, presets, installation)
    at = NOON + 10 * MINUTE
    await runs.request_due(at, limit=10)
    run = await runs.claim(installation, at)
    assert run is not None
    await runs.fail(run, "SCORE_OUT_OF_RANGE", at)
    assert await runs.request_due(at + 59 * MINUTE, limit=10) == 0
    assert await runs.request_due(at + 60 * MINUTE, limit=10) == 1


async def test_runs_that_ended_long_ago_are_forgotten_but_for_the_last_complete_one(
    runs: RunTable, presets: PresetTables, installation: int, database: Database
) -> None:
    await scored(runs, presets, installation)
    last = await scored(runs, presets, installation, NOON + MINUTE)
    await scored(runs, presets, installation, NOON + 2 * MINUTE, [TimePeriod.TODAY])
    assert await runs.forget_ended(NOON + 10 * MINUTE) == 2
    with database.connect() as owner:
        kept = owner.execute("SELECT id FROM scoring_runs").fetchall()
    assert kept == [(last.id,)]


class Ticking:
    """The time of all processes' schedules: it goes on when each of them has looked at it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOON.timestamp() + 0.5
        self.looked = 0
        self._next = asyncio.Event()
        ticking = self

        async def wait(_: periodic.PeriodicDeferrer, next_tick: float) -> None:
            ticking.looked += 1
            await ticking._next.wait()

        monkeypatch.setattr(periodic, "time", SimpleNamespace(time=lambda: ticking.now))
        monkeypatch.setattr(periodic.PeriodicDeferrer, "wait", wait)

    def tick(self) -> None:
        """A second later."""
        self.now += 1
        self.looked = 0
        passed, self._next = self._next, asyncio.Event()
        passed.set()


@pytest.mark.parametrize("processes", [3])
async def test_a_schedule_is_kept_once_by_all_processes_together(
    database: Database, runs: RunTable, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticking, done = Ticking(monkeypatch), 0

    async def work() -> None:
        nonlocal done
        done += 1

    async def ready() -> None:
        """Nothing has to be compiled here."""

    workers = []
    for _ in range(processes):
        queue = JobQueue(database.url("laurel_scoring"), LANE)
        queue.every("* * * * * */1", work)
        workers.append(Worker(queue, runs))
        workers[-1].start(ready)
    with database.connect() as owner:

        def jobs() -> int:
            row = owner.execute("SELECT count(*) FROM scoring_jobs.procrastinate_jobs").fetchone()
            return 0 if row is None else int(row[0])

        try:
            async with asyncio.timeout(60):
                for times in (1, 2, 3):
                    while ticking.looked < processes or done < times or jobs():
                        await asyncio.sleep(0.02)
                    assert done == times
                    ticking.tick()
        finally:
            await asyncio.gather(*(worker.stop() for worker in workers))
