"""Boards say that they are behind from the change on, until those are published that hold it."""

import pytest
import pytest_asyncio

from laurel.leaderboard.v1 import leaderboard_pb2
from laurel.scoring.v1 import preset_pb2, preset_pb2_grpc, scoring_pb2
from tests.support.stack_running import Laurel, until
from tests.support.world_actions import reading, until_scored
from tests.support.world_holding import hold_table
from tests.support.world_story import Story, tell, watched_boards

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(laurel: Laurel) -> Story:
    return await tell(laurel, ("geocoder",), length=400, cut=200)


async def test_old_boards_are_read_as_stale_while_a_new_preset_is_scored(story: Story) -> None:
    laurel, tenant = story.laurel, await story.settled()
    number = tenant.installation_id
    request = leaderboard_pb2.GetLeaderboardRequest(board=watched_boards(tenant)[0])
    async with reading(laurel) as reader, laurel.caller.channel("scoring") as channel:
        before = await reader.page(request)
        assert before.freshness == leaderboard_pb2.FRESHNESS_FRESH
        presets = preset_pb2_grpc.PresetServiceStub(channel)
        created = await presets.CreatePreset(
            preset_pb2.CreatePresetRequest(installation_id=number, name="bold")
        )
        with hold_table(laurel, "computed_scores", "SHARE") as hold:
            activated = await presets.ActivatePreset(
                preset_pb2.ActivatePresetRequest(
                    installation_id=number, preset_id=created.preset.id
                )
            )
            await hold.until_waited_for("laurel_leaderboard")
            during = await reader.page(request)
            assert during.freshness == leaderboard_pb2.FRESHNESS_STALE
            assert during.materialization_id == before.materialization_id
            assert during.entries == before.entries
        run = scoring_pb2.Scoring(installation_id=number, id=activated.scoring_id)
        await until_scored(laurel, run)

        async def fresh() -> bool:
            page = await reader.page(request)
            return page.freshness == leaderboard_pb2.FRESHNESS_FRESH

        await until(fresh, "the new preset's boards are read")
        after = await reader.page(request)
        assert after.preset_id == created.preset.id
