"""SIGKILL in the middle of a publish: a board has its old version or its new one, whole."""

import pytest
import pytest_asyncio

from laurel_cli.stack.layout import SERVICES
from tests.support.stack_running import Laurel, until
from tests.support.world_actions import import_lines, start_scoring, until_scored
from tests.support.world_holding import hold_table, hold_versions
from tests.support.world_integrity import check_integrity
from tests.support.world_story import Story, tell, watched_boards
from tests.support.world_watching import watching

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(laurel: Laurel) -> Story:
    return await tell(laurel, ("geocoder",), length=500, cut=300)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_killed_while_rows_are_written_leaves_no_half_board(
    story: Story, service: str
) -> None:
    laurel, tenant = story.laurel, await story.settled()
    await import_lines(laurel, story.rest(tenant))
    starts = laurel.starts(service)
    async with watching(laurel, watched_boards(tenant)) as watch:
        with hold_table(laurel, "computed_scores", "SHARE") as hold:
            run = await start_scoring(laurel, tenant.installation_id)
            await hold.until_waited_for("laurel_leaderboard")
            laurel.kill(service)
            await laurel.until_back(service, after=starts)
            await watch.looks_on()
            check_integrity(laurel.connect)
        await until_scored(laurel, run)
        await watch.looks_on()
    await story.check_boards(tenant)
    assert any(len(seen) > 1 for seen in watch.versions.values())


@pytest.mark.parametrize("service", ["scoring", "leaderboard"])
async def test_a_service_killed_between_two_groups_leaves_each_board_old_or_new(
    story: Story, service: str
) -> None:
    laurel, tenant = story.laurel, await story.settled()
    await import_lines(laurel, story.rest(tenant))
    starts = laurel.starts(service)
    async with watching(laurel, watched_boards(tenant)) as watch:
        with hold_versions(laurel, "team") as hold:
            run = await start_scoring(laurel, tenant.installation_id)
            await hold.until_waited_for("laurel_leaderboard")
            # The organization's boards are out, the teams' are not.
            await until(
                lambda: any(2 in seen for seen in watch.versions.values()),
                "a new version is readable",
            )
            laurel.kill(service)
            await laurel.until_back(service, after=starts)
            await watch.looks_on()
            check_integrity(laurel.connect)
        await until_scored(laurel, run)
        await watch.looks_on()
    await story.check_boards(tenant)
