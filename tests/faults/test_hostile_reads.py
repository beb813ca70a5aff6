"""Readers with tokens of others, boards of others, and requests that make no sense."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from laurel.common.v1 import board_pb2, types_pb2
from laurel.identity.v1 import directory_pb2_grpc
from laurel.ingest.v1 import signal_reads_pb2
from laurel.leaderboard.v1 import (
    leaderboard_pb2,
    materialization_pb2,
)
from laurel.scoring.v1 import explanation_pb2, scoring_pb2
from laurel_common.errors import RemoteError
from tests.support.stack_running import Laurel
from tests.support.world_boards import board
from tests.support.world_callers import OTHER, World, a_board, all_of, refusal, stubs, two_tenants

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(laurel: Laurel) -> AsyncIterator[World]:
    async with two_tenants(laurel) as found:
        yield found


async def test_a_page_token_is_good_for_its_own_request_alone(world: World) -> None:
    first = leaderboard_pb2.GetLeaderboardRequest(board=a_board(world.mine), page_size=2)
    token = (await world.boards.GetLeaderboard(first)).next_page_token
    assert token
    others = [
        leaderboard_pb2.GetLeaderboardRequest(board=a_board(OTHER), page_token=token),
        leaderboard_pb2.GetLeaderboardRequest(board=a_board(world.mine, "team"), page_token=token),
        leaderboard_pb2.GetLeaderboardRequest(
            board=a_board(world.mine, period="half_year"), page_token=token
        ),
    ]
    for request in others:
        outcome = await refusal(world.boards.GetLeaderboard(request))
        assert outcome == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN")
    listing = leaderboard_pb2.ListBoardsRequest(
        installation_id=world.mine.installation_id, page_token=token
    )
    assert (await refusal(world.boards.ListBoards(listing)))[1] == "INVALID_PAGE_TOKEN"
    signals = signal_reads_pb2.ListSignalsRequest(
        installation_id=world.mine.installation_id, page_token=token
    )
    assert (await refusal(world.signals.ListSignals(signals)))[1] == "INVALID_PAGE_TOKEN"


async def test_tokens_of_signals_are_bound_to_tenant_and_filter(world: World) -> None:
    number = world.mine.installation_id
    request = signal_reads_pb2.ListSignalsRequest(installation_id=number, page_size=1)
    token = (await world.signals.ListSignals(request)).next_page_token
    for other in (
        signal_reads_pb2.ListSignalsRequest(
            installation_id=OTHER.installation_id, page_token=token
        ),
        signal_reads_pb2.ListSignalsRequest(installation_id=number, user_id=1, page_token=token),
        signal_reads_pb2.ListSignalsRequest(
            installation_id=number, types=[types_pb2.SIGNAL_TYPE_COMMIT], page_token=token
        ),
    ):
        assert (await refusal(world.signals.ListSignals(other)))[1] == "INVALID_PAGE_TOKEN"


def damaged(token: str) -> Iterator[str]:
    """The token with each of some of its characters changed, cut, and other texts."""
    for place in range(0, len(token), 7):
        yield token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
    yield from (token[:-1], token + "A", token * 2, "x", "=", "\x00", "☃", "A" * 2048)


async def test_a_damaged_token_is_refused_wherever_it_is_damaged(world: World) -> None:
    request = leaderboard_pb2.GetLeaderboardRequest(board=a_board(world.mine), page_size=2)
    token = (await world.boards.GetLeaderboard(request)).next_page_token
    for each in damaged(token):
        request.page_token = each
        outcome = await refusal(world.boards.GetLeaderboard(request))
        assert outcome == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN"), each


@pytest.mark.parametrize("number", [7, -7, 2**63 - 1, -(2**63), 2**62])
async def test_an_installation_that_does_not_exist_is_not_found_everywhere(
    world: World, number: int
) -> None:
    somewhere = board_pb2.Board(
        installation_id=number,
        scope_type=types_pb2.SCOPE_TYPE_ORGANIZATION,
        entity_type=types_pb2.ENTITY_TYPE_CONTRIBUTOR,
        time_period=types_pb2.TIME_PERIOD_WEEK,
    )
    calls = [
        world.boards.GetLeaderboard(leaderboard_pb2.GetLeaderboardRequest(board=somewhere)),
        world.scoring.StartScoring(scoring_pb2.StartScoringRequest(installation_id=number)),
        world.scoring.GetScoring(
            scoring_pb2.GetScoringRequest(installation_id=number, scoring_id=1)
        ),
        world.signals.ListSignals(signal_reads_pb2.ListSignalsRequest(installation_id=number)),
    ]
    for call in calls:
        assert (await refusal(call))[0] == "NOT_FOUND"


async def test_scopes_and_entities_of_others_are_not_found_under_ones_own_installation(
    world: World,
) -> None:
    number = world.mine.installation_id
    team, repository = OTHER.team_ids[0], 2_000_000_303 + OTHER.offset
    for wanted in (
        board(number, "team", team, "contributor", "week"),
        board(number, "repository", repository, "contributor", "week"),
        board(number, "organization", OTHER.account_id, "contributor", "week"),
    ):
        request = leaderboard_pb2.GetLeaderboardRequest(board=wanted)
        assert (await refusal(world.boards.GetLeaderboard(request)))[0] == "NOT_FOUND"
        explaining = explanation_pb2.ExplainScoreRequest(board=wanted, entity_id=1)
        assert (await refusal(all_of(world.scoring.ExplainScore(explaining))))[0] == "NOT_FOUND"


@pytest.mark.parametrize("entity_id", [1, -1, 2**63 - 1, -(2**63)])
async def test_nobodys_ledger_is_not_found(world: World, entity_id: int) -> None:
    request = explanation_pb2.ExplainScoreRequest(board=a_board(world.mine), entity_id=entity_id)
    outcome = await refusal(all_of(world.scoring.ExplainScore(request)))
    assert outcome == ("NOT_FOUND", "ENTITY_NOT_FOUND")


async def test_a_version_that_never_was_is_not_explained(world: World) -> None:
    entry = (
        await world.boards.GetLeaderboard(
            leaderboard_pb2.GetLeaderboardRequest(board=a_board(world.mine), page_size=1)
        )
    ).entries[0]
    request = explanation_pb2.ExplainScoreRequest(
        board=a_board(world.mine), entity_id=entry.entity.id, version=2**31 - 1
    )
    outcome = await refusal(all_of(world.scoring.ExplainScore(request)))
    assert outcome == ("FAILED_PRECONDITION", "VERSION_NOT_CURRENT")


BAD_REQUESTS = {
    "a page below zero": lambda mine: leaderboard_pb2.GetLeaderboardRequest(
        board=a_board(mine), page_size=-1
    ),
    "a page too long": lambda mine: leaderboard_pb2.GetLeaderboardRequest(
        board=a_board(mine), page_size=501
    ),
    "no board": lambda _: leaderboard_pb2.GetLeaderboardRequest(),
    "a token too long": lambda mine: leaderboard_pb2.GetLeaderboardRequest(
        board=a_board(mine), page_token="x" * 2_049
    ),
    "teams of a team": lambda mine: leaderboard_pb2.GetLeaderboardRequest(
        board=board(mine.installation_id, "team", mine.team_ids[0], "team", "week")
    ),
    "a preset below zero": lambda mine: leaderboard_pb2.GetLeaderboardRequest(
        board=board_pb2.Board(
            installation_id=mine.installation_id,
            preset_id=-1,
            scope_type=types_pb2.SCOPE_TYPE_ORGANIZATION,
            entity_type=types_pb2.ENTITY_TYPE_TEAM,
            time_period=types_pb2.TIME_PERIOD_WEEK,
        )
    ),
    "a period that does not exist": lambda mine: leaderboard_pb2.GetLeaderboardRequest(
        board=board_pb2.Board(
            installation_id=mine.installation_id,
            scope_type=types_pb2.SCOPE_TYPE_ORGANIZATION,
            entity_type=types_pb2.ENTITY_TYPE_TEAM,
            time_period=66,  # type: ignore[arg-type]  # unknown on purpose
        )
    ),
}


@pytest.mark.parametrize("build", BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
async def test_a_request_that_makes_no_sense_names_its_fields(world: World, build: Any) -> None:
    with pytest.raises(RemoteError) as refused:
        await world.boards.GetLeaderboard(build(world.mine))
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert refused.value.violations


@pytest.mark.parametrize("seconds", [2**62, -(2**62), 253_402_300_800, -62_135_596_801])
async def test_times_beyond_the_calendar_are_refused(world: World, seconds: int) -> None:
    request = signal_reads_pb2.ListSignalsRequest(installation_id=world.mine.installation_id)
    request.start_time.seconds = seconds
    outcome = await refusal(world.signals.ListSignals(request))
    assert outcome == ("INVALID_ARGUMENT", "INVALID_REQUEST")


async def test_times_beyond_the_calendar_are_refused_by_streams_and_upserts_too(
    world: World,
) -> None:
    reading = signal_reads_pb2.StreamSignalsRequest(installation_id=world.mine.installation_id)
    reading.end_time.seconds = 2**62
    publishing = materialization_pb2.PublishMaterializationRequest(
        header=materialization_pb2.PublishHeader(
            installation_id=world.mine.installation_id,
            preset_id=1,
            organization_id=world.mine.account_id,
            rules_json="{}",
        )
    )
    publishing.header.as_of.seconds = 2**62
    upsert = world.mine.roster(world.story.now)
    upsert.observe_time.seconds = 2**62
    async with stubs(world.laurel.service("scoring")) as (_, versions, _, signals):
        calls = [
            all_of(signals.StreamSignals(reading)),
            versions.PublishMaterialization(iter([publishing])),
        ]
        for call in calls:
            assert (await refusal(call))[1] == "INVALID_REQUEST"
    async with world.laurel.roster.channel("identity") as channel:
        directory = directory_pb2_grpc.DirectoryServiceStub(channel)
        assert (await refusal(directory.UpsertEntities(upsert)))[1] == "INVALID_REQUEST"
