"""SIGKILL in the middle of a scoring run: it is taken up again, and no board shows half of it."""

import pytest
import pytest_asyncio

from laurel.scoring.v1 import scoring_pb2
from laurel_cli.stack.layout import SERVICES
from tests.support.stack_running import Laurel
from tests.support.world_actions import get_scoring, import_lines, start_scoring, until_scored
from tests.support.world_holding import hold_table
from tests.support.world_story import Story, tell, watched_boards
from tests.support.world_watching import watching

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(laurel: Laurel) -> Story:
    return await tell(laurel, ("geocoder",), length=500, cut=300)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_run_outlives_a_service_that_is_killed_while_inputs_are_read(
    story: Story, service: str
) -> None:
    laurel, tenant = story.laurel, await story.settled()
    await import_lines(laurel, story.rest(tenant))
    starts = laurel.starts(service)
    # Identity is held in the roster, the others while ingest reads signals.
    table, reader = ("teams", "identity") if service == "identity" else ("signals", "ingest")
    async with watching(laurel, watched_boards(tenant)) as watch:
        with hold_table(laurel, table, "ACCESS EXCLUSIVE") as hold:
            run = await start_scoring(laurel, tenant.installation_id)
            await hold.until_waited_for(f"laurel_{reader}")
            run = await get_scoring(laurel, run)
            # The import had a run begin by itself: this one may wait behind it.
            assert run.state in (
                scoring_pb2.SCORING_STATE_QUEUED,
                scoring_pb2.SCORING_STATE_RUNNING,
            )
            laurel.kill(service)
            await laurel.until_back(service, after=starts)
        run = await until_scored(laurel, run)
        await watch.looks_on()
    assert run.boards_published == run.boards_total > 0
    await story.check_signals(tenant, story.whole)
    await story.check_boards(tenant)
    assert watch.versions


async def test_a_run_that_was_only_asked_for_is_done_by_the_next_process(story: Story) -> None:
    laurel, tenant = story.laurel, await story.settled()
    await import_lines(laurel, story.rest(tenant))
    starts = laurel.starts("scoring")
    run = await start_scoring(laurel, tenant.installation_id)
    laurel.kill("scoring")
    await laurel.until_back("scoring", after=starts)
    await until_scored(laurel, run)
    await story.check_boards(tenant)
