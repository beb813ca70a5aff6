"""A run that is cancelled in whatever phase it is asks and writes no more."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from laurel_ingest.application.history.github import Listing
from laurel_ingest.clients.github.history import GraphQLHistory
from laurel_ingest.domain.history.runs import RunState
from tests.support.held_reading import Held
from tests.support.ingest_ground import Ground, expected


async def test_a_cancelled_run_reads_no_further(ground: Ground) -> None:
    asked = await ground.request()
    await ground.lane.run_ingest(asked.id)
    (first, second) = ground.open_works(asked.id)
    await ground.lane.read_repository(first)
    await is_cancelled_for_good(ground, asked.id)
    assert second in [row[0] for row in ground.rows("SELECT id FROM ingest_run_repositories")]


async def is_cancelled_for_good(ground: Ground, run_id: int) -> None:
    """Whoever has a job of the run yet neither asks nor writes, and the next run reads it all."""
    installation_id = ground.story.installation.id
    known, works = ground.signals(), ground.open_works(run_id)
    run = await ground.runs.cancel(installation_id, run_id, ground.clock.now())
    assert run.state is RunState.CANCELLED
    asked = len(ground.github.queries)
    ground.clock.advance(timedelta(minutes=1))
    await ground.lane.run_ingest(run_id)
    for work_id in works:
        await ground.lane.read_repository(work_id)
    await ground.lane.run_ingest(run_id)
    assert (await ground.runs.get(installation_id, run_id)).state is RunState.CANCELLED
    assert (ground.signals(), len(ground.github.queries)) == (known, asked)
    run = await ground.run()
    assert (run.state, run.troubles) == (RunState.SUCCEEDED, ())
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])


@pytest.mark.parametrize("phase", ["queued", "planned", "waiting for GitHub", "all read"])
async def test_a_run_can_be_cancelled_in_every_phase(ground: Ground, phase: str) -> None:
    ground.clock.set(datetime.now(UTC))
    asked = await ground.request()
    if phase != "queued":
        await ground.lane.run_ingest(asked.id)
    if phase == "waiting for GitHub":
        ground.github.faults.add("GRAPHQL Pulls", retry_after=40)
        await ground.lane.read_repository(ground.open_works(asked.id)[0])
    if phase == "all read":
        for work_id in ground.open_works(asked.id):
            await ground.lane.read_repository(work_id)
    await is_cancelled_for_good(ground, asked.id)


async def test_a_run_that_is_cancelled_while_it_is_planned_stays_so(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, real = await ground.request(), GraphQLHistory.probe
    installation_id = ground.story.installation.id

    async def probe(self: GraphQLHistory, *args: Any) -> Any:
        await ground.runs.cancel(installation_id, asked.id, ground.clock.now())
        return await real(self, *args)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(GraphQLHistory, "probe", probe)
        await ground.lane.run_ingest(asked.id)
    assert ground.open_works(asked.id) == []
    await is_cancelled_for_good(ground, asked.id)


@pytest.mark.parametrize("listing", [Listing.COMMITS, Listing.PULLS, Listing.ISSUES])
async def test_a_run_that_is_cancelled_between_two_pages_writes_nothing_more(
    ground: Ground, held: Held, listing: Listing
) -> None:
    asked = await ground.request()
    await ground.lane.run_ingest(asked.id)
    await held.reading(ground.lane, ground.open_works(asked.id)[0], listing)
    known = ground.signals()
    await ground.runs.cancel(ground.story.installation.id, asked.id, ground.clock.now())
    await held.finish()
    assert ground.signals() == known
    await is_cancelled_for_good(ground, asked.id)
