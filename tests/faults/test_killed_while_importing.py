"""SIGKILL in the middle of an import: nothing is lost, and nothing comes in twice."""

import asyncio

import pytest
import pytest_asyncio

from laurel_cli.stack.layout import SERVICES
from tests.support.stack_running import Laurel
from tests.support.world_actions import import_lines, put_roster, score
from tests.support.world_holding import hold_table
from tests.support.world_story import Story, tell

pytestmark = pytest.mark.asyncio(loop_scope="module")

BATCH = 60


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(laurel: Laurel) -> Story:
    return await tell(laurel, ("geocoder",), length=600, cut=300)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_killed_between_two_batches_costs_no_signal(
    story: Story, service: str
) -> None:
    laurel, tenant = story.laurel, story.tenant()
    starts, answers = laurel.starts(service), 0

    def kill_once(_: object) -> None:
        nonlocal answers
        answers += 1
        if answers == 3:
            laurel.kill(service)

    lines = [*story.beginning(tenant), *story.rest(tenant)]
    await import_lines(laurel, lines, batch_size=BATCH, on_answer=kill_once)
    await laurel.until_back(service, after=starts)
    await story.check_signals(tenant, story.whole)


@pytest.mark.parametrize("table", ["signal_keys", "repository_facts", "installation_signal_states"])
async def test_ingest_killed_within_a_transaction_leaves_nothing_of_the_batch(
    story: Story, table: str
) -> None:
    laurel, tenant = story.laurel, story.tenant()
    await import_lines(laurel, story.beginning(tenant))
    starts = laurel.starts("ingest")
    with hold_table(laurel, table, "SHARE") as hold:
        importing = asyncio.create_task(import_lines(laurel, story.rest(tenant), batch_size=BATCH))
        await hold.until_waited_for("laurel_ingest")
        laurel.kill("ingest")
        await laurel.until_back("ingest", after=starts)
        await story.check_signals(tenant, story.first)
    summary = await importing
    await story.check_signals(tenant, story.whole)
    again = await import_lines(laurel, story.rest(tenant))
    assert (again.totals.new, again.totals.changed, again.withdrawn) == (0, 0, 0)
    assert summary.totals.new > 0


async def test_identity_killed_while_it_enters_people_is_asked_again(story: Story) -> None:
    laurel, tenant = story.laurel, story.tenant()
    starts = laurel.starts("identity")
    lines = [*story.beginning(tenant), *story.rest(tenant)]
    with hold_table(laurel, "repositories", "SHARE") as hold:
        importing = asyncio.create_task(import_lines(laurel, lines, batch_size=BATCH))
        await hold.until_waited_for("laurel_identity")
        laurel.kill("identity")
        await laurel.until_back("identity", after=starts)
    await importing
    await story.check_signals(tenant, story.whole)


async def test_boards_of_a_disturbed_import_are_those_of_its_signals(story: Story) -> None:
    laurel, tenant = story.laurel, story.tenant()
    lines = [*story.beginning(tenant), *story.rest(tenant)]
    starts = laurel.starts("ingest")
    importing = asyncio.create_task(import_lines(laurel, lines, batch_size=BATCH))
    await asyncio.sleep(0)
    laurel.kill("ingest")
    await importing
    await laurel.until_back("ingest", after=starts)
    await put_roster(laurel, tenant, story.now)
    await score(laurel, tenant.installation_id)
    await story.check_boards(tenant)
