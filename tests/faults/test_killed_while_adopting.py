"""SIGKILL while an installation's history moves to a new id: it goes on, nothing is lost."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from laurel_common.errors import RemoteError
from tests.support.database import Database
from tests.support.github import GitHubSimulator
from tests.support.stack_running import Laurel, running_laurel, until
from tests.support.world_actions import import_lines, list_signals, reading, score
from tests.support.world_boards import board
from tests.support.world_holding import hold_table
from tests.support.world_installing import github_of_the_stack, install, is_known
from tests.support.world_integrity import as_told
from tests.support.world_story import Story, tell

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def github() -> AsyncIterator[GitHubSimulator]:
    async with github_of_the_stack() as github:
        yield github


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def laurel(
    github: GitHubSimulator,
    module_database: Database,
    module_redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Laurel]:
    """A Laurel that asks the simulated GitHub."""
    async with running_laurel(
        tmp_path_factory.mktemp("laurel"),
        database=module_database,
        redis_url=module_redis_url,
    ) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(laurel: Laurel) -> Story:
    return await tell(laurel, ("geocoder",), length=240, cut=120)


async def test_services_killed_while_signals_move_cost_none(
    story: Story, github: GitHubSimulator
) -> None:
    laurel, tenant = story.laurel, await story.settled()
    starts = {service: laurel.starts(service) for service in ("identity", "ingest")}
    with hold_table(laurel, "signals", "SHARE") as hold:
        installed = await install(laurel, github, tenant)
        await hold.until_waited_for("laurel_ingest")
        # No row has moved, and all of it is the new installation's.
        assert as_told(installed, await list_signals(laurel, installed.installation_id)) == (
            story.first
        )
        for service in starts:
            laurel.kill(service)
        for service, before in starts.items():
            await laurel.until_back(service, after=before)
    # The account's events go on; whoever tells of them asks identity whose they are.
    await import_lines(laurel, story.rest(tenant))
    await until(lambda: _is_gone(laurel, tenant.installation_id), "everything has moved", 60)
    await story.check_signals(installed, story.whole)
    await score(laurel, installed.installation_id)
    await story.check_boards(installed)
    async with reading(laurel) as reader:
        of_former = (tenant.installation_id, "organization", tenant.account_id)
        with pytest.raises(RemoteError) as gone:
            await reader.walk(board(*of_former, "contributor", "all_time"))
    assert gone.value.reason == "BOARD_NOT_FOUND"
    with laurel.connect() as owner:
        left = owner.execute(
            "SELECT outcome FROM installation_works WHERE account_id = %s", [tenant.account_id]
        ).fetchall()
    assert left == [("done",)]


async def _is_gone(laurel: Laurel, installation_id: int) -> bool:
    return not await is_known(laurel, installation_id)
