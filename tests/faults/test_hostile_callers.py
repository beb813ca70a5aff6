"""Callers who ask too often, all at once, or for what their key does not cover."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from laurel.ingest.v1 import (
    signal_entities_pb2,
    signal_imports_pb2,
    signal_reads_pb2,
    signal_writes_pb2,
)
from laurel.leaderboard.v1 import (
    leaderboard_pb2,
    materialization_pb2,
)
from laurel.scoring.v1 import explanation_pb2, scoring_pb2
from laurel_cli.rpc.caller import Caller
from laurel_common.auth.keys import generate_private_key
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import TokenSource
from laurel_common.auth.trust import TrustedKey, format_trust_file, parse_trust_file
from laurel_common.errors import RemoteError
from tests.support.stack_running import Laurel, until
from tests.support.world_actions import get_scoring, import_lines, until_scored
from tests.support.world_callers import OTHER, World, a_board, all_of, refusal, stubs, two_tenants
from tests.support.world_integrity import check_integrity

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(laurel: Laurel) -> AsyncIterator[World]:
    async with two_tenants(laurel) as found:
        yield found


async def test_a_run_of_another_tenant_is_not_found(world: World) -> None:
    request = scoring_pb2.StartScoringRequest(installation_id=OTHER.installation_id)
    run = (await world.scoring.StartScoring(request)).scoring
    asked = scoring_pb2.GetScoringRequest(
        installation_id=world.mine.installation_id, scoring_id=run.id
    )
    outcome = await refusal(world.scoring.GetScoring(asked))
    assert outcome == ("NOT_FOUND", "SCORING_NOT_FOUND")
    await until_scored(world.laurel, run)


async def test_a_flood_of_scorings_is_a_few_runs(world: World) -> None:
    request = scoring_pb2.StartScoringRequest(installation_id=world.mine.installation_id)
    answers = await asyncio.gather(
        # They take turns on one row: on a busy machine the last one waits longer than by default.
        *(world.scoring.StartScoring(request, timeout=60) for _ in range(200)),
        return_exceptions=True,
    )
    refused = Counter(each.reason for each in answers if isinstance(each, RemoteError))
    assert set(refused) <= {"OVERLOADED"}, refused
    runs = {
        each.scoring.id: each.scoring for each in answers if not isinstance(each, BaseException)
    }
    assert len(runs) + sum(refused.values()) <= len(answers)
    for run in runs.values():
        await until_scored(world.laurel, await get_scoring(world.laurel, run))
    # What is asked for while one waits is that one; while one runs, the next.
    assert len(runs) < 40
    check_integrity(world.laurel.connect)


async def test_one_request_id_is_one_run_however_often_it_is_sent(world: World) -> None:
    request = scoring_pb2.StartScoringRequest(
        installation_id=world.mine.installation_id, request_id="the same"
    )
    answers = await asyncio.gather(*(world.scoring.StartScoring(request) for _ in range(20)))
    assert len({each.scoring.id for each in answers}) == 1
    await until_scored(world.laurel, answers[0].scoring)
    again = await world.scoring.StartScoring(request)
    assert again.scoring.id == answers[0].scoring.id
    assert again.scoring.state == scoring_pb2.SCORING_STATE_SUCCEEDED


@pytest.mark.parametrize("request_id", ["\x00", "a\x00b", "x" * 65])
async def test_a_request_id_that_can_not_be_kept_is_refused(world: World, request_id: str) -> None:
    request = scoring_pb2.StartScoringRequest(
        installation_id=world.mine.installation_id, request_id=request_id
    )
    outcome = await refusal(world.scoring.StartScoring(request))
    assert outcome == ("INVALID_ARGUMENT", "INVALID_REQUEST")


async def test_an_operator_may_not_publish_boards_nor_read_the_services_stream(
    world: World,
) -> None:
    header = materialization_pb2.PublishMaterializationRequest(
        header=materialization_pb2.PublishHeader(installation_id=world.mine.installation_id)
    )
    publishing = world.versions.PublishMaterialization(iter([header]))
    assert (await refusal(publishing))[1] == "CALLER_NOT_ALLOWED"
    stream = signal_reads_pb2.StreamSignalsRequest(installation_id=world.mine.installation_id)
    reading = all_of(world.signals.StreamSignals(stream))
    assert (await refusal(reading))[1] == "CALLER_NOT_ALLOWED"


async def test_a_backend_reads_and_writes_within_its_installations_alone(
    world: World, tmp_path: Any
) -> None:
    key = generate_private_key(tmp_path / "shop.pem")
    trust = world.laurel.stack.layout.trust_file
    entry = TrustedKey(
        "shop",
        PrincipalKind.BACKEND,
        key.public_key(),
        ("*",),
        frozenset({world.mine.installation_id}),
    )
    trust.write_text(format_trust_file([*parse_trust_file(trust.read_text()), entry]))
    shop = Caller(world.laurel.stack.targets, TokenSource("shop", key))
    async with stubs(shop) as (boards, _, scoring, signals):
        mine = leaderboard_pb2.GetLeaderboardRequest(board=a_board(world.mine))
        number = world.mine.installation_id
        listing = signal_reads_pb2.ListSignalsRequest(installation_id=number)
        asked = scoring_pb2.GetScoringRequest(installation_id=number, scoring_id=2**40)

        async def known() -> bool:
            # Each service looks at the directory of keys once a second.
            try:
                await boards.GetLeaderboard(mine)
                await signals.ListSignals(listing)
                await scoring.GetScoring(asked)
            except RemoteError as error:
                if error.code not in {"UNAUTHENTICATED", "NOT_FOUND"}:
                    raise
                return error.code == "NOT_FOUND"
            return True

        await until(known, "the new key is known")
        theirs = leaderboard_pb2.GetLeaderboardRequest(board=a_board(OTHER))
        assert (await refusal(boards.GetLeaderboard(theirs)))[1] == "INSTALLATION_NOT_COVERED"
        listing = signal_reads_pb2.ListSignalsRequest(installation_id=OTHER.installation_id)
        assert (await refusal(signals.ListSignals(listing)))[1] == "INSTALLATION_NOT_COVERED"
        explaining = explanation_pb2.ExplainScoreRequest(board=a_board(OTHER), entity_id=1)
        outcome = await refusal(all_of(scoring.ExplainScore(explaining)))
        assert outcome[1] == "INSTALLATION_NOT_COVERED"
        starting = scoring_pb2.StartScoringRequest(installation_id=OTHER.installation_id)
        assert (await refusal(scoring.StartScoring(starting)))[1] == "CALLER_NOT_ALLOWED"
        writing = signal_writes_pb2.WriteSignalsRequest(
            header=signal_writes_pb2.WriteSignalsHeader(
                installation_id=OTHER.installation_id, standing=signal_entities_pb2.STANDING_BEST
            )
        )
        outcome = await refusal(all_of(signals.WriteSignals(iter([writing]))))
        assert outcome[1] == "INSTALLATION_NOT_COVERED"
        # An import names its owners itself: a key that is limited may not make any.
        importing = signal_imports_pb2.ImportEventsRequest(
            header=signal_imports_pb2.ImportEventsHeader(
                source=signal_imports_pb2.EVENT_SOURCE_GH_ARCHIVE
            )
        )
        outcome = await refusal(all_of(signals.ImportEvents(iter([importing]))))
        assert outcome[1] == "INSTALLATION_NOT_COVERED"


async def test_idle_streams_do_not_keep_others_from_being_served(world: World) -> None:
    header = signal_imports_pb2.ImportEventsRequest(
        header=signal_imports_pb2.ImportEventsHeader(
            source=signal_imports_pb2.EVENT_SOURCE_GH_ARCHIVE
        )
    )
    calls = [world.signals.ImportEvents(_silent(header)) for _ in range(150)]
    idle = [asyncio.create_task(all_of(call)) for call in calls]
    try:
        await until(lambda: any(each.done() for each in idle), "too many streams are refused")
        refused = [each.exception() for each in idle if each.done()]
        # One that is refused while its header is still being sent only learns that it is over.
        codes = {getattr(each, "code", each) for each in refused}
        assert codes <= {"RESOURCE_EXHAUSTED", "UNAVAILABLE"}
        request = signal_reads_pb2.ListSignalsRequest(installation_id=world.mine.installation_id)
        assert (await world.signals.ListSignals(request)).signals
    finally:
        for each in idle:
            each.cancel()
        await asyncio.gather(*idle, return_exceptions=True)

    # And when they are gone there is room again.
    async def room() -> bool:
        try:
            await import_lines(world.laurel, world.story.beginning(world.mine)[:5])
        except RemoteError as error:
            if error.reason != "OVERLOADED":
                raise
            return False
        return True

    await until(room, "streams are taken again")


async def _silent(first: Any) -> AsyncIterator[Any]:
    yield first
    await asyncio.Event().wait()
