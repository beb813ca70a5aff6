"""ExplainScore over the wire: ledgers that sum to their boards, and what is refused."""

import asyncio
from datetime import timedelta

import pytest

from laurel.common.v1 import board_pb2
from laurel.scoring.v1 import explanation_pb2, scoring_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import InstallationNotFound, RemoteError
from laurel_scoring.application import explain_score
from laurel_scoring.domain.roster import Roster, Team
from tests.rpc.scoring.conftest import Service
from tests.support.scoring_builders import AS_OF, a_signal

ROSTER = Roster(77, frozenset({10, 11}), (Team(100, frozenset({1, 2})),))
EARLIER = AS_OF - timedelta(days=1)


@pytest.fixture(autouse=True)
def activity(service: Service) -> None:
    service.peers.identity.roster = ROSTER
    service.peers.ingest.signals = [
        *(
            a_signal("commit", at=EARLIER + timedelta(minutes=n), repository=10, additions=2)
            for n in range(5)
        ),
        a_signal(
            "review", at=EARLIER, user=2, repository=11, review_state="approved", is_bot=False
        ),
        a_signal("spam", at=EARLIER, user=2, repository=10),
    ]


async def test_a_contributors_lines_sum_to_the_score(service: Service) -> None:
    await service.score()
    header, lines = await service.explain(1)
    assert (header.rank, header.score_e4, header.score) == (1, 450_000, "45.0000")
    assert (header.line_count, len(lines)) == (5, 5)
    assert sum(line.points_e4 + line.penalty_e4 for line in lines) == header.score_e4
    assert header.breakdown.commits_e4 == header.score_e4
    assert header.counts.commit == 5
    assert [line.day_position for line in lines] == [1, 2, 3, 4, 5]
    assert {line.day_quota for line in lines} == {4}
    assert lines[0].multipliers == [
        explanation_pb2.AppliedMultiplier(
            kind="first_activity", factor_e4=15_000, points_e4=150_000
        )
    ]
    assert lines[4].outcome == explanation_pb2.OUTCOME_DAILY_QUOTA
    assert {line.additions for line in lines} == {2}


async def test_lines_stand_in_the_order_of_judgement_and_name_their_signal(
    service: Service,
) -> None:
    await service.score()
    _, lines = await service.explain(2)
    review, spam = lines
    assert (review.type, spam.type) == (7, 10)
    assert (review.repository_id, spam.repository_id) == (11, 10)
    assert (review.review_weight_e4, review.review_state) == (12_500, 1)
    assert (spam.outcome, spam.penalty_e4) == (
        explanation_pb2.OUTCOME_PENALTY_ONLY,
        -120_000,
    )
    held = {signal.content_hash for signal in service.peers.ingest.signals}
    assert {line.content_hash for line in lines} < held


@pytest.mark.parametrize(
    ("scope", "scope_id", "entity", "entity_id"),
    [
        pytest.param(1, 0, 2, 100, id="organization-team"),
        pytest.param(1, 77, 3, 10, id="organization-repository"),
        pytest.param(2, 100, 1, 2, id="team-contributor"),
        pytest.param(2, 100, 3, 11, id="team-repository"),
        pytest.param(3, 10, 1, 1, id="repository-contributor"),
        pytest.param(3, 10, 2, 100, id="repository-team"),
    ],
)
async def test_every_kind_of_board_explains_itself(
    service: Service, scope: int, scope_id: int, entity: int, entity_id: int
) -> None:
    await service.score()
    header, lines = await service.explain(entity_id, service.board(scope, scope_id, entity))
    assert sum(line.points_e4 + line.penalty_e4 for line in lines) == header.score_e4
    (row,) = [
        row
        for row in service.peers.leaderboard.rows(scope, scope_id or 77, entity, 6)
        if row["entity_id"] == entity_id
    ]
    assert (header.rank, header.score_e4) == (row["rank"], row["score_e4"])
    assert all(bool(line.member_id) == (entity == 2) for line in lines)


async def test_moved_inputs_are_scored_and_published_first(service: Service) -> None:
    await service.score()
    service.clock.advance(timedelta(hours=1))
    service.peers.ingest.signals.append(a_signal("issue_open", at=EARLIER, repository=10))
    service.peers.ingest.mark = "signals-2"
    header, lines = await service.explain(1)
    assert (header.version, header.score_e4, len(lines)) == (2, 600_000, 6)


async def test_a_changed_roster_is_an_input_that_moved(service: Service) -> None:
    await service.score()
    service.clock.advance(timedelta(hours=1))
    service.peers.identity.roster = Roster(77, frozenset({10, 11}), bots=frozenset({2}))
    with pytest.raises(RemoteError) as refused:
        await service.explain(2)
    assert refused.value.reason == "ENTITY_NOT_FOUND"


async def test_a_board_that_came_out_unchanged_explains_itself_without_a_run(
    service: Service,
) -> None:
    await service.score()
    service.clock.advance(timedelta(hours=1))
    service.peers.ingest.mark = "signals-2"
    await service.score()
    publications = service.peers.leaderboard.publications
    header, _ = await service.explain(1)
    assert header.version == 1
    assert service.peers.leaderboard.publications == publications


async def test_what_moved_and_can_not_be_scored_in_time_is_said_so(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain_score, "_PATIENCE_SECONDS", 0.1)
    await service.score()
    service.peers.ingest.mark = "signals-2"
    await service.inner.worker.stop()
    request = explanation_pb2.ExplainScoreRequest(board=service.board(), entity_id=1)
    with pytest.raises(RemoteError) as refused:
        async for _ in service.scoring.ExplainScore(request):
            pass
    assert (refused.value.code, refused.value.reason) == ("FAILED_PRECONDITION", "INPUTS_CHANGED")


async def test_an_older_version_is_not_explained(service: Service) -> None:
    await service.score()
    service.clock.advance(timedelta(hours=1))
    service.peers.ingest.signals.append(a_signal("issue_open", at=EARLIER, repository=10))
    service.peers.ingest.mark = "signals-2"
    await service.score()
    with pytest.raises(RemoteError) as refused:
        await service.explain(1, version=1)
    assert (refused.value.code, refused.value.reason) == (
        "FAILED_PRECONDITION",
        "VERSION_NOT_CURRENT",
    )


async def test_an_entity_that_is_not_on_the_board_is_not_found(service: Service) -> None:
    await service.score()
    with pytest.raises(RemoteError) as refused:
        await service.explain(404)
    assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "ENTITY_NOT_FOUND")


async def test_a_board_that_was_never_scored_is_not_found(service: Service) -> None:
    with pytest.raises(RemoteError) as refused:
        await service.explain(1)
    assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "BOARD_NOT_FOUND")


async def test_a_board_that_can_not_be_is_refused_field_by_field(service: Service) -> None:
    board = board_pb2.Board(installation_id=service.installation, scope_type=2, entity_type=2)  # type: ignore[arg-type]  # the wire's numbers
    with pytest.raises(RemoteError) as refused:
        await service.explain(0, board)
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    fields = {violation.field for violation in refused.value.violations}
    assert {"board.time_period", "entity_id"} <= fields


async def test_a_backend_is_explained_its_own_installations_only(service: Service) -> None:
    backend = service.channel(PrincipalKind.BACKEND, installations=[8])
    stub = scoring_pb2_grpc.ScoringServiceStub(backend)
    request = explanation_pb2.ExplainScoreRequest(board=service.board(), entity_id=1)
    with pytest.raises(RemoteError) as refused:
        async for _ in stub.ExplainScore(request):
            pass
    assert refused.value.reason == "INSTALLATION_NOT_COVERED"


async def test_a_caller_that_goes_away_leaves_nothing_running(service: Service) -> None:
    await service.score()
    service.peers.ingest.gate.clear()
    before = service.peers.ingest.reads
    request = explanation_pb2.ExplainScoreRequest(board=service.board(), entity_id=1)
    reading = asyncio.ensure_future(anext(aiter(service.scoring.ExplainScore(request))))
    async with asyncio.timeout(20):
        while service.peers.ingest.reads == before:
            await asyncio.sleep(0.02)
    reading.cancel()
    service.peers.ingest.gate.set()
    header, _ = await service.explain(1)
    assert header.version == 1


async def test_an_installation_that_identity_does_not_know_is_not_found(service: Service) -> None:
    await service.score()
    service.peers.failures.next("GetInstallation", InstallationNotFound())
    with pytest.raises(RemoteError) as refused:
        await service.explain(1)
    assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "INSTALLATION_NOT_FOUND")
