"""StartScoring and GetScoring over the wire, with everything below them real."""

import asyncio
from datetime import timedelta

import pytest

from laurel.scoring.v1 import scoring_pb2, scoring_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError, RetryableError
from laurel_scoring.domain.roster import Roster, Team
from tests.rpc.scoring.conftest import OPEN, Service
from tests.support import naive_scoring as naive
from tests.support.naive_scoring import NaiveSignal
from tests.support.scoring_builders import AS_OF, NAIVE_DEFAULT_RULES, a_signal, e4

ROSTER = Roster(
    organization_id=77,
    repositories=frozenset({10, 11}),
    teams=(Team(100, frozenset({1, 2})), Team(101, frozenset({2}), frozenset({11}))),
    bots=frozenset({9}),
)


class Away(RetryableError):
    """A service that can't be reached."""

    reason = "DEPENDENCY_UNAVAILABLE"


def signals() -> list[NaiveSignal]:
    return [
        a_signal("commit", at=AS_OF - timedelta(hours=1), user=1, repository=10, additions=3),
        a_signal("review", at=AS_OF - timedelta(days=2), user=2, repository=11),
        a_signal("spam", at=AS_OF - timedelta(days=40), user=2, repository=10),
        a_signal("pr_merge", at=AS_OF - timedelta(days=2), user=9, repository=10),
        a_signal("commit", at=AS_OF - timedelta(days=2), user=8, repository=11),
        a_signal("commit", at=AS_OF - timedelta(days=2), user=1, repository=99),
        a_signal("commit", at=AS_OF + timedelta(minutes=2), user=1, repository=10),
    ]


def given(service: Service) -> list[NaiveSignal]:
    """Signals at ingest; those that count."""
    service.peers.identity.roster = ROSTER
    service.peers.ingest.signals = signals()
    service.peers.ingest.bots = [8]
    return [s for s in signals() if s.repository_id != 99 and s.event_timestamp <= AS_OF]


async def test_a_run_publishes_every_board_of_the_installation(service: Service) -> None:
    counted = given(service)
    run = await service.score()
    assert run.state == scoring_pb2.SCORING_STATE_SUCCEEDED
    # Organization 3, two teams 2 each, two repositories 2 each; six periods.
    assert (run.boards_total, run.boards_published) == (66, 66)
    assert len(service.peers.leaderboard.current) == 66
    results = naive.evaluate(counted, NAIVE_DEFAULT_RULES, {8, 9}, mode="contributor")
    rows = service.peers.leaderboard.rows(1, 77, 1, 6)
    assert [(row["entity_id"], row["rank"], row["score_e4"]) for row in rows] == [
        (entity, result.rank, e4(result.score)) for entity, result in naive.rank(results)
    ]
    teams = service.peers.leaderboard.rows(1, 77, 2, 6)
    assert [(row["entity_id"], row["member_count"]) for row in teams] == [(100, 2), (101, 1)]


async def test_a_publication_says_what_it_was_made_of(service: Service) -> None:
    given(service)
    run = await service.score()
    header = service.peers.leaderboard.current[1, 77, 1, 6].header
    assert header.as_of == run.as_of
    assert (header.installation_id, header.organization_id) == (service.installation, 77)
    assert service.peers.leaderboard.served == header.preset_id
    assert '"commit":100000' in header.rules_json
    assert header.input_mark


async def test_an_unchanged_installation_keeps_its_versions(service: Service) -> None:
    given(service)
    await service.score()
    run = await service.score()
    assert run.boards_published == 66
    assert {stored.version for stored in service.peers.leaderboard.current.values()} == {1}


async def test_what_is_asked_for_while_a_run_works_joins_the_next_one(service: Service) -> None:
    given(service)
    service.peers.ingest.gate.clear()
    first = await service.start()
    async with asyncio.timeout(20):
        while (await service.get(first.id)).state != scoring_pb2.SCORING_STATE_RUNNING:
            await asyncio.sleep(0.02)
    waiting = [await service.start() for _ in range(3)]
    assert {run.id for run in waiting} == {waiting[0].id}
    assert waiting[0].id != first.id
    service.clock.advance(timedelta(seconds=1))
    service.peers.ingest.gate.set()
    assert (await service.ended(waiting[0].id)).state == scoring_pb2.SCORING_STATE_SUCCEEDED
    assert service.peers.ingest.reads == 2


async def test_a_request_id_names_one_run(service: Service) -> None:
    given(service)
    first = await service.start("mine")
    await service.ended(first.id)
    assert (await service.start("mine")).id == first.id
    assert (await service.start("other")).id != first.id


@pytest.mark.parametrize(
    "method",
    [
        "StreamSignals",
        "StreamSignals.end",
        "GetInstallation",
        "BatchGetUsers",
        "PublishMaterialization",
        "PublishMaterialization.commit",
    ],
)
async def test_a_run_outlives_a_service_that_was_away(service: Service, method: str) -> None:
    given(service)
    # gRPC itself repeats the methods that bear it; one error more reaches the run.
    service.peers.failures.next(method, *(Away() for _ in range(5)))
    run = await service.start()
    seen = set()
    async with asyncio.timeout(30):
        while (state := await service.get(run.id)).state in OPEN:
            seen.add((state.state, state.failure_reason))
            await asyncio.sleep(0.02)
    assert state.state == scoring_pb2.SCORING_STATE_SUCCEEDED
    assert state.attempts >= 2
    assert (scoring_pb2.SCORING_STATE_RUNNING, "DEPENDENCY_UNAVAILABLE") in seen
    assert len(service.peers.leaderboard.current) == 66


@pytest.mark.parametrize(
    ("installation_id", "scoring_id", "code", "reason"),
    [
        pytest.param(7, 404, "NOT_FOUND", "SCORING_NOT_FOUND", id="no-run"),
        pytest.param(7, 0, "INVALID_ARGUMENT", "INVALID_REQUEST", id="no-run-id"),
        pytest.param(0, 1, "INVALID_ARGUMENT", "INVALID_REQUEST", id="no-installation-id"),
    ],
)
async def test_what_get_scoring_refuses(
    service: Service, installation_id: int, scoring_id: int, code: str, reason: str
) -> None:
    with pytest.raises(RemoteError) as refused:
        await service.scoring.GetScoring(
            scoring_pb2.GetScoringRequest(installation_id=installation_id, scoring_id=scoring_id)
        )
    assert (refused.value.code, refused.value.reason) == (code, reason)


async def test_an_unknown_installation_can_not_be_scored(service: Service) -> None:
    with pytest.raises(RemoteError) as refused:
        await service.scoring.StartScoring(scoring_pb2.StartScoringRequest(installation_id=404))
    assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "INSTALLATION_NOT_FOUND")


@pytest.mark.parametrize("kind", [PrincipalKind.BACKEND, PrincipalKind.GATEWAY])
async def test_backends_and_gateways_start_nothing(service: Service, kind: PrincipalKind) -> None:
    stub = scoring_pb2_grpc.ScoringServiceStub(service.channel(kind))
    with pytest.raises(RemoteError) as refused:
        await stub.StartScoring(
            scoring_pb2.StartScoringRequest(installation_id=service.installation)
        )
    assert (refused.value.code, refused.value.reason) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")


async def test_ingest_may_start_and_leaderboard_may_not(service: Service) -> None:
    request = scoring_pb2.StartScoringRequest(installation_id=service.installation)
    ingest = service.channel(PrincipalKind.SERVICE, name="ingest")
    response = await scoring_pb2_grpc.ScoringServiceStub(ingest).StartScoring(request)
    assert response.scoring.id
    leaderboard = service.channel(PrincipalKind.SERVICE, name="leaderboard")
    with pytest.raises(RemoteError) as refused:
        await scoring_pb2_grpc.ScoringServiceStub(leaderboard).StartScoring(request)
    assert refused.value.reason == "CALLER_NOT_ALLOWED"
