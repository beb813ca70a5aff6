"""ScoreRange over the wire: pages of one result, computed once, and what is refused."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from laurel.common.v1 import types_pb2
from laurel.scoring.v1 import explanation_pb2, preset_pb2, range_pb2, scoring_pb2_grpc
from laurel_common.auth.access import Access
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from tests.rpc.scoring.conftest import Service, Shared
from tests.rpc.scoring.preset_calls import create, faults, refused, told, update
from tests.support.scoring_builders import AS_OF, a_signal
from tests.support.scoring_history import EARLIER, ROSTER, history

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def service(shared: Shared) -> AsyncIterator[Service]:
    shared.service.peers.identity.roster = ROSTER
    shared.service.peers.ingest.signals = history()
    await shared.service.score()
    yield shared.service


@pytest.fixture(autouse=True)
def everything_is_seen(shared: Shared) -> Iterator[None]:
    yield
    shared.someone.seen = Access.full()
    shared.service.peers.ingest.signals = history()


def a_range(
    service: Service, scope: int = 1, scope_id: int = 0, entity: int = 1, **fields: Any
) -> Any:
    """The month of the boards, unless told."""
    values: dict[str, Any] = {
        "installation_id": service.installation,
        "scope_type": scope,
        "scope_id": scope_id,
        "entity_type": entity,
        "start_time": AS_OF - timedelta(days=30) + timedelta(microseconds=1),
        "end_time": AS_OF + timedelta(microseconds=2),
    }
    return range_pb2.RangeBoard(**values | fields)


async def page(
    service: Service, window: Any, size: int = 0, token: str = "", stub: Any = None
) -> range_pb2.ScoreRangeResponse:
    request = range_pb2.ScoreRangeRequest(range=window, page_size=size, page_token=token)
    response: range_pb2.ScoreRangeResponse = await (stub or service.scoring).ScoreRange(request)
    return response


async def walk(service: Service, window: Any, size: int) -> list[range_pb2.RangeEntry]:
    entries: list[range_pb2.RangeEntry] = []
    token = ""
    while True:
        found = await page(service, window, size, token)
        assert len(found.entries) <= size
        entries += found.entries
        if not (token := found.next_page_token):
            assert found.total_size == len(entries)
            return entries


@pytest.mark.parametrize(
    ("scope", "scope_id", "entity"),
    [
        pytest.param(1, 0, 1, id="organization-contributors"),
        pytest.param(1, 77, 2, id="organization-teams"),
        pytest.param(1, 0, 3, id="organization-repositories"),
        pytest.param(2, 100, 1, id="team-contributors"),
        pytest.param(2, 100, 3, id="team-repositories"),
        pytest.param(3, 10, 1, id="repository-contributors"),
        pytest.param(3, 10, 2, id="repository-teams"),
    ],
)
async def test_a_range_that_is_a_periods_window_gives_the_periods_board(
    service: Service, scope: int, scope_id: int, entity: int
) -> None:
    found = await page(service, a_range(service, scope, scope_id, entity))
    rows = service.peers.leaderboard.rows(
        scope, scope_id or 77, entity, types_pb2.TIME_PERIOD_MONTH
    )
    assert rows
    assert [
        (each.entity_id, each.rank, each.score_e4, each.breakdown.commits_e4, each.counts.commit)
        for each in found.entries
    ] == [
        (
            row["entity_id"],
            row["rank"],
            row["score_e4"],
            row["commits_e4"],
            row["count_commit"],
        )
        for row in rows
    ]
    assert [each.HasField("member_count") for each in found.entries] == [entity == 2] * len(rows)
    (stored,) = (
        each.board.signal_count
        for key, each in service.peers.leaderboard.current.items()
        if key == (scope, scope_id or 77, entity, types_pb2.TIME_PERIOD_MONTH)
    )
    assert found.signal_count == stored
    assert await walk(service, a_range(service, scope, scope_id, entity), 1) == list(found.entries)


async def test_entries_are_named_and_formatted(service: Service) -> None:
    found = await page(service, a_range(service))
    first = found.entries[0]
    assert (first.entity_name, first.score) == ("user1", f"{first.score_e4 / 10_000:.4f}")
    assert found.preset_id > 0
    for entity, name in ((2, "team100"), (3, "acme/repo10")):
        named = await page(service, a_range(service, entity=entity))
        assert name in {each.entity_name for each in named.entries}


async def test_equal_ranges_at_the_same_time_are_computed_once(service: Service) -> None:
    ingest = service.peers.ingest
    reads = ingest.reads
    ingest.gate.clear()
    asked = [asyncio.create_task(page(service, a_range(service), 1)) for _ in range(9)]
    try:
        async with asyncio.timeout(10):
            while ingest.reads == reads:
                await asyncio.sleep(0.01)
        # Another range is no part of it, and has the installation's second place.
        other = asyncio.create_task(page(service, a_range(service, entity=3)))
        async with asyncio.timeout(10):
            while ingest.reads < reads + 2:
                await asyncio.sleep(0.01)
        third = await refused(page(service, a_range(service, entity=2)))
    finally:
        ingest.gate.set()
    answers = await asyncio.gather(*asked)
    assert (await other).entries
    assert all(each == answers[0] for each in answers)
    assert ingest.reads == reads + 2
    assert told(third) == ("RESOURCE_EXHAUSTED", "INSTALLATION_BUSY")
    assert third.retry_after == timedelta(seconds=1)


async def test_further_pages_show_the_first_ones_result_and_read_nothing(service: Service) -> None:
    window = a_range(service)
    first = await page(service, window, 1)
    service.peers.ingest.signals = [a_signal("pr_merge", at=EARLIER, user=9, repository=10)]
    reads = service.peers.ingest.reads
    second = await page(service, window, 1, first.next_page_token)
    assert (second.etag, service.peers.ingest.reads) == (first.etag, reads)
    assert second.entries[0].entity_id == 2
    anew = await page(service, window)
    assert [each.entity_id for each in anew.entries] == [9]
    assert anew.etag != first.etag


async def test_a_walk_goes_on_where_another_process_began_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = a_range(service)
    first = await page(service, window, 1)
    monkeypatch.setattr(
        "laurel_scoring.application.range_results.RangeResults.get", lambda *_: None
    )
    assert (await page(service, window, 1, first.next_page_token)).entries[0].entity_id == 2
    service.peers.ingest.signals.append(a_signal("issue_open", at=EARLIER, user=9, repository=10))
    error = await refused(page(service, window, 1, first.next_page_token))
    assert told(error) == ("FAILED_PRECONDITION", "INPUTS_CHANGED")


async def test_a_walk_goes_on_by_the_rules_that_it_began_with(service: Service) -> None:
    preset = await create(service, "generous")
    window = a_range(service, preset_id=preset.id)
    first = await page(service, window, 1)
    assert first.preset_id == preset.id
    rules = preset_pb2.Rules(decay_factor_e4=0)
    await update(service, preset, ("rules.decay_factor_e4",), rules=rules)
    kept = await page(service, window, 1, first.next_page_token)
    anew = await page(service, window, 1)
    assert kept.etag == first.etag != anew.etag
    assert anew.entries[0].score_e4 > first.entries[0].score_e4


async def test_a_token_is_its_ranges_alone(service: Service) -> None:
    window = a_range(service)
    token = (await page(service, window, 1)).next_page_token
    for changes in (
        {"entity": 3},
        {"scope": 3, "scope_id": 10},
        {"end_time": AS_OF},
        {"start_time": EARLIER},
    ):
        error = await refused(page(service, a_range(service, **changes), 1, token))
        assert told(error) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN")
    damaged = ("A" if token[0] != "A" else "B") + token[1:]
    assert (await refused(page(service, window, 1, damaged))).reason == "INVALID_PAGE_TOKEN"


async def test_an_empty_range_is_an_empty_board(service: Service) -> None:
    window = a_range(service, end_time=AS_OF - timedelta(days=29))
    found = await page(service, window)
    assert (list(found.entries), found.total_size, found.next_page_token) == ([], 0, "")


async def test_hidden_entities_keep_their_place_without_a_name(
    service: Service, shared: Shared
) -> None:
    shared.someone.seen = Access(hidden_repositories=frozenset({11}), hidden_teams=frozenset({101}))
    for entity, hidden in ((3, 11), (2, 101), (1, 0)):
        full = await page(service, a_range(service, entity=entity))
        seen = await page(service, a_range(service, entity=entity), stub=shared.users)
        for masked, known in zip(seen.entries, full.entries, strict=True):
            if known.entity_id == hidden:
                assert (masked.entity_id, masked.entity_name) == (0, "")
                masked.entity_id, masked.entity_name = known.entity_id, known.entity_name
            assert masked == known


@pytest.mark.parametrize(
    ("seen", "scope", "scope_id"),
    [
        pytest.param(Access(hidden_repositories=frozenset({11})), 3, 11, id="hidden repository"),
        pytest.param(Access(hidden_teams=frozenset({100})), 2, 100, id="hidden team"),
        pytest.param(Access.none(), 1, 0, id="not a member"),
    ],
)
async def test_a_hidden_scope_has_no_board(
    service: Service, shared: Shared, seen: Access, scope: int, scope_id: int
) -> None:
    shared.someone.seen = seen
    error = await refused(page(service, a_range(service, scope, scope_id), stub=shared.users))
    assert told(error) == ("NOT_FOUND", "BOARD_NOT_FOUND")


async def test_an_outside_collaborator_sees_the_repositories_that_it_reads(
    service: Service, shared: Shared
) -> None:
    shared.someone.seen = Access(readable_repositories=frozenset({10}))
    window = a_range(service, scope=3, scope_id=10)
    assert await page(service, window, stub=shared.users) == await page(service, window)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"installation_id": 404}, "INSTALLATION_NOT_FOUND", id="tenant"),
        pytest.param({"preset_id": 404}, "PRESET_NOT_FOUND", id="preset"),
        pytest.param({"scope_id": 78}, "BOARD_NOT_FOUND", id="organization"),
        pytest.param({"scope": 2, "scope_id": 404}, "BOARD_NOT_FOUND", id="team"),
        pytest.param({"scope": 3, "scope_id": 404}, "BOARD_NOT_FOUND", id="repository"),
    ],
)
async def test_what_is_not_there_is_not_found(
    service: Service, changes: dict[str, Any], reason: str
) -> None:
    error = await refused(page(service, a_range(service, **changes)))
    assert told(error) == ("NOT_FOUND", reason)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        pytest.param(range_pb2.ScoreRangeRequest(), "range", id="no range"),
        pytest.param(
            range_pb2.ScoreRangeRequest(range=range_pb2.RangeBoard(installation_id=7)),
            "range.end_time",
            id="no times",
        ),
        pytest.param(range_pb2.ScoreRangeRequest(page_size=501), "page_size", id="a large page"),
    ],
)
async def test_a_request_that_can_not_be_is_refused_field_by_field(
    service: Service, request_: range_pb2.ScoreRangeRequest, field: str
) -> None:
    error: RemoteError = await refused(service.scoring.ScoreRange(request_))
    assert told(error) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert field in faults(error)


@pytest.mark.parametrize("kind", [PrincipalKind.GATEWAY, PrincipalKind.SERVICE])
async def test_gateways_and_services_score_no_ranges(service: Service, kind: PrincipalKind) -> None:
    stub = scoring_pb2_grpc.ScoringServiceStub(service.channel(kind))
    error = await refused(page(service, a_range(service), stub=stub))
    assert told(error) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")


async def test_a_limited_key_scores_its_own_installation_alone(service: Service) -> None:
    channel = service.channel(PrincipalKind.BACKEND, name="limited", installations=[8])
    stub = scoring_pb2_grpc.ScoringServiceStub(channel)
    error = await refused(page(service, a_range(service), stub=stub))
    assert told(error) == ("PERMISSION_DENIED", "INSTALLATION_NOT_COVERED")


async def test_what_rules_make_too_large_for_a_board_is_said_so(service: Service) -> None:
    service.peers.ingest.signals = [
        a_signal("commit", at=EARLIER + timedelta(seconds=n), value="1000", repository=10)
        for n in range(11)
    ]
    rules = preset_pb2.Rules(
        base_points=[preset_pb2.BasePoints(type=types_pb2.SIGNAL_TYPE_COMMIT, points_e4=10**8)],
        weekly_threshold=10_000,
    )
    preset = await create(service, "boundless", rules)
    wanted = a_range(service, preset_id=preset.id)
    request = explanation_pb2.ExplainScoreRequest(range=wanted, entity_id=1)
    explaining = anext(aiter(service.scoring.ExplainScore(request)))
    for call in (page(service, wanted), explaining):
        assert told(await refused(call)) == ("FAILED_PRECONDITION", "SCORE_OUT_OF_RANGE")
