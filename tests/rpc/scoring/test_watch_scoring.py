"""WatchScoring over the wire: progress as it is made, and the end."""

import asyncio

import pytest

from laurel.scoring.v1 import scoring_pb2, scoring_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from tests.rpc.scoring.conftest import Service
from tests.rpc.scoring.test_scoring import given
from tests.support.scoring_builders import AS_OF, a_signal


def request(service: Service, scoring_id: int) -> scoring_pb2.WatchScoringRequest:
    return scoring_pb2.WatchScoringRequest(
        installation_id=service.installation, scoring_id=scoring_id
    )


async def watch(service: Service, scoring_id: int) -> list[scoring_pb2.Scoring]:
    stream = service.scoring.WatchScoring(request(service, scoring_id), timeout=20)
    return [response.scoring async for response in stream]


async def test_a_watcher_sees_what_is_read_and_published_and_the_end(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laurel_scoring.application.noting.PAUSE_SECONDS", 0.001)
    given(service)
    service.peers.ingest.signals = [a_signal(at=AS_OF, repository=10, key=str(n)) for n in range(6)]
    service.peers.ingest.gate.clear()
    service.peers.leaderboard.gate.clear()
    started = await service.start()
    watching = [asyncio.create_task(watch(service, started.id)) for _ in range(3)]
    stream = service.scoring.WatchScoring(request(service, started.id))
    async for response in stream:
        if response.scoring.phase == scoring_pb2.SCORING_PHASE_READING:
            break
    service.peers.ingest.gate.set()
    async for response in stream:
        if response.scoring.phase == scoring_pb2.SCORING_PHASE_PUBLISHING:
            break
    run = response.scoring
    assert (run.signal_count, run.signals_expected) == (6, 6)
    assert (run.boards_published, run.boards_total) == (0, 66)
    stream.cancel()
    # One family is let through, and its boards are told of while the others wait.
    service.peers.leaderboard.let_through(1)
    async for response in service.scoring.WatchScoring(request(service, started.id)):
        if response.scoring.boards_published:
            break
    assert (response.scoring.boards_published, response.scoring.boards_total) == (6, 66)
    service.peers.leaderboard.gate.set()
    for told in await asyncio.gather(*watching):
        assert told[-1].state == scoring_pb2.SCORING_STATE_SUCCEEDED
        assert told[-1].phase == scoring_pb2.SCORING_PHASE_UNSPECIFIED
        assert (told[-1].boards_published, told[-1].signal_count) == (66, 6)
        published = [each.boards_published for each in told]
        assert published == sorted(published)


async def test_a_run_that_has_ended_is_told_once(service: Service) -> None:
    given(service)
    run = await service.score()
    assert await watch(service, run.id) == [run]


async def test_an_unknown_run_can_not_be_watched(service: Service) -> None:
    with pytest.raises(RemoteError) as refused:
        await watch(service, 404)
    assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "SCORING_NOT_FOUND")


async def test_services_have_no_use_for_it(service: Service) -> None:
    ingest = service.channel(PrincipalKind.SERVICE, name="ingest")
    with pytest.raises(RemoteError) as refused:
        async for _ in scoring_pb2_grpc.ScoringServiceStub(ingest).WatchScoring(
            request(service, 1)
        ):
            pass
    assert refused.value.reason == "CALLER_NOT_ALLOWED"
