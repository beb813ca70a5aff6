"""Watching runs: one poll for everybody, through short absences of the database, to the end."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from laurel_common.errors import DatabaseUnavailable, LaurelError
from laurel_scoring.application.ports import RunStore
from laurel_scoring.application.watch_scoring import WatchScoring
from laurel_scoring.domain.errors import ScoringNotFound
from laurel_scoring.domain.runs import Run, RunState

RUN = Run(4, 7, RunState.RUNNING, datetime(2026, 3, 4, tzinfo=UTC), attempts=1)
DONE = replace(RUN, state=RunState.SUCCEEDED)


class ScriptedRuns:
    """Answers each poll with the next of its script, and then always with the last."""

    def __init__(self, *script: Run | LaurelError | None) -> None:
        self.script = list(script)
        self.polls = 0

    async def get(self, installation_id: int, run_id: int) -> Run:
        return replace(RUN, id=run_id)

    async def get_many(self, run_ids: Collection[int]) -> dict[int, Run]:
        self.polls += 1
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, LaurelError):
            raise answer
        return {} if answer is None else {answer.id: answer}


def watching(runs: ScriptedRuns, *, patience: float = 60.0) -> WatchScoring:
    return WatchScoring(cast("RunStore", runs), poll_seconds=0.001, patience_seconds=patience)


async def seen(watch: WatchScoring, run_id: int = RUN.id) -> list[Run]:
    return [run async for run in watch(RUN.installation_id, run_id)]


async def test_what_changed_is_told_once_and_the_end_last() -> None:
    further = replace(RUN, boards_published=3, boards_total=9)
    runs = ScriptedRuns(RUN, RUN, further, further, DONE)
    assert await seen(watching(runs)) == [RUN, further, DONE]


async def test_a_hundred_watchers_cost_one_poll_and_nobody_none() -> None:
    runs = ScriptedRuns(RUN, RUN, RUN, DONE)
    watch = watching(runs)
    told = await asyncio.gather(*(seen(watch) for _ in range(100)))
    assert told == [[RUN, DONE]] * 100
    assert runs.polls <= 5
    await watch.close()
    polls = runs.polls
    await asyncio.sleep(0.01)
    assert runs.polls == polls


async def test_a_short_absence_of_the_database_only_delays_the_news() -> None:
    runs = ScriptedRuns(RUN, DatabaseUnavailable(), DatabaseUnavailable(), DONE)
    assert await seen(watching(runs)) == [RUN, DONE]


@pytest.mark.parametrize(
    ("news", "reason"),
    [
        pytest.param(DatabaseUnavailable(), DatabaseUnavailable, id="the database stays away"),
        pytest.param(None, ScoringNotFound, id="the run is erased"),
    ],
)
async def test_what_ends_a_stream_has_a_name(
    news: LaurelError | None, reason: type[LaurelError]
) -> None:
    watch = watching(ScriptedRuns(news), patience=0.0)
    with pytest.raises(reason):
        await seen(watch)
    # Whoever comes back is told again.
    cast("ScriptedRuns", watch._runs).script = [DONE]
    assert await seen(watch) == [RUN, DONE]


class HeldRuns(ScriptedRuns):
    """Answers every poll, but only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.let = asyncio.Event()

    async def get_many(self, run_ids: Collection[int]) -> dict[int, Run]:
        known = {each: replace(DONE, id=each) for each in run_ids}
        self.asked.set()
        await self.let.wait()
        return known


async def test_who_begins_to_watch_during_a_poll_is_told_by_the_next() -> None:
    runs = HeldRuns()
    watch = watching(runs)
    first = asyncio.create_task(seen(watch))
    await runs.asked.wait()
    second = asyncio.create_task(seen(watch, 5))
    while 5 not in watch._watchers:
        await asyncio.sleep(0)
    runs.let.set()
    assert await first == [RUN, DONE]
    assert await second == [replace(RUN, id=5), replace(DONE, id=5)]


async def test_a_watcher_that_goes_leaves_nothing_behind() -> None:
    watch = watching(ScriptedRuns(RUN))
    staying = asyncio.create_task(seen(watch))
    going = asyncio.create_task(seen(watch))
    await asyncio.sleep(0.01)
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    assert len(watch._watchers[RUN.id]) == 1
    staying.cancel()
    await asyncio.gather(staying, return_exceptions=True)
    assert not watch._watchers
