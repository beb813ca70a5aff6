"""WatchScoring over the wire: progress as it is made, and the end."""

import asyncio

import pytest

from laurel.scoring.v1 import scoring_pb2, scoring_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_scoring.rpc import convert
from tests.rpc.scoring.conftest import Service
from tests.rpc.scoring.test_scoring import given
from tests.support.scoring_builders import AS_OF, a_signal
from tests.support.stack_running import until
from tests.support.unread import WINDOW, ended, unread


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


async def test_what_ends_a_watch_has_a_reason(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(service)
    service.peers.ingest.gate.clear()
    run = await service.start()
    stopped = service.scoring.WatchScoring(request(service, run.id))
    await anext(aiter(stopped))
    # One takes nothing of what it is told.
    large = scoring_pb2.Scoring(failure_reason="x" * WINDOW)
    monkeypatch.setattr(convert, "scoring", lambda _: large)
    async with unread(service.server) as caller:
        stub = scoring_pb2_grpc.ScoringServiceStub(caller.channel)
        slow = caller.watch(stub.WatchScoring, request(service, run.id))
        await until(service.server.server.metrics.cut_offs.total, "it is cut off")
        taken, why = await ended(slow)
    assert (len(taken), why) == (1, ("RESOURCE_EXHAUSTED", "READER_TOO_SLOW"))
    service.server.server.endless.stop()
    _, why = await ended(stopped)
    assert why == ("UNAVAILABLE", "NOT_SERVING")
    service.peers.ingest.gate.set()


async def test_a_run_that_is_erased_ends_its_watches(service: Service) -> None:
    given(service)
    service.peers.ingest.gate.clear()
    run = await service.start()
    stream = service.scoring.WatchScoring(request(service, run.id))
    await anext(aiter(stream))
    with service.database.connect() as connection:
        connection.execute("DELETE FROM scoring_runs")
    _, why = await ended(stream)
    assert why == ("NOT_FOUND", "SCORING_NOT_FOUND")
    service.peers.ingest.gate.set()


async def test_services_have_no_use_for_it(service: Service) -> None:
    ingest = service.channel(PrincipalKind.SERVICE, name="ingest")
    with pytest.raises(RemoteError) as refused:
        async for _ in scoring_pb2_grpc.ScoringServiceStub(ingest).WatchScoring(
            request(service, 1)
        ):
            pass
    assert refused.value.reason == "CALLER_NOT_ALLOWED"
