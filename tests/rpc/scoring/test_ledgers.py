"""Ledgers over the wire: what lines name, why scores are not higher, ranges, and what is hidden."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from laurel.common.v1 import types_pb2
from laurel.scoring.v1 import explanation_pb2 as pb
from laurel.scoring.v1 import range_pb2, scoring_pb2_grpc
from laurel_common.auth.access import Access
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from tests.rpc.scoring.conftest import Service, Shared
from tests.rpc.scoring.preset_calls import faults, told
from tests.support.scoring_builders import AS_OF
from tests.support.scoring_history import EARLIER, ROSTER, SHA, history

pytestmark = pytest.mark.asyncio(loop_scope="module")

Answer = tuple[pb.ExplainScoreHeader, list[pb.LedgerLine]]


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


async def ask(stub: scoring_pb2_grpc.ScoringServiceStub, **fields: Any) -> Answer:
    header = pb.ExplainScoreHeader()
    lines: list[pb.LedgerLine] = []
    async for answer in stub.ExplainScore(pb.ExplainScoreRequest(**fields)):
        if answer.HasField("header"):
            header = answer.header
        lines.extend(answer.lines.lines)
    return header, lines


async def refusal(stub: scoring_pb2_grpc.ScoringServiceStub, **fields: Any) -> RemoteError:
    with pytest.raises(RemoteError) as refused:
        await ask(stub, **fields)
    return refused.value


def a_range(service: Service, **fields: Any) -> range_pb2.RangeBoard:
    """The month of the boards, unless told."""
    values: dict[str, Any] = {
        "installation_id": service.installation,
        "scope_type": 1,
        "entity_type": 1,
        "start_time": AS_OF - timedelta(days=30),
        "end_time": AS_OF + timedelta(microseconds=2),
    }
    return range_pb2.RangeBoard(**values | fields)


def total(lines: list[pb.LedgerLine]) -> int:
    return sum(line.points_e4 + line.penalty_e4 for line in lines)


async def test_a_line_names_its_person_repository_and_thing(service: Service) -> None:
    _, lines = await ask(service.scoring, board=service.board(), entity_id=1)
    first = lines[1]
    assert (first.user_login, first.repository_full_name) == ("user1", "acme/repo10")
    assert (first.number, first.title) == (0, "Commit 0")
    _, others = await ask(service.scoring, board=service.board(), entity_id=2)
    _, third = await ask(service.scoring, board=service.board(), entity_id=3)
    shown = {types_pb2.SignalType.Name(each.type): each.html_url for each in lines + others + third}
    base = "https://github.com/acme"
    assert shown == {
        "SIGNAL_TYPE_COMMIT": f"{base}/repo10/commit/5{SHA[1:]}",
        "SIGNAL_TYPE_ISSUE_OPEN": f"{base}/repo11/issues/27",
        "SIGNAL_TYPE_PR_MERGE": f"{base}/repo10/pull/4",
        "SIGNAL_TYPE_PR_CLOSE_NO_MERGE": f"{base}/repo11/pull/9",
        "SIGNAL_TYPE_REVIEW": f"{base}/repo11/pull/7#pullrequestreview-6",
        "SIGNAL_TYPE_REVIEW_COMMENT": f"{base}/repo10/pull/3#discussion_r99",
        "SIGNAL_TYPE_COMMENT": "",
        "SIGNAL_TYPE_SPAM": f"{base}/repo10/issues/3",
    }


async def test_the_header_says_why_the_score_is_not_higher(service: Service) -> None:
    header, lines = await ask(service.scoring, board=service.board(), entity_id=1)
    assert (header.entity_name, header.rules.weekly_threshold) == ("user1", 9)
    assert header.bot_signal_count == 1
    assert [(each.outcome, each.signal_count, each.withheld_e4) for each in header.withheld] == [
        # The 10th to 12th of the week lose 0.11, 0.22 and 0.33 of 10 points.
        (pb.OUTCOME_EARNED, 3, 66_000),
        (pb.OUTCOME_SELF_REVIEW, 1, 200_000),
        (pb.OUTCOME_DAILY_QUOTA, 2, 200_000),
    ]
    assert sum(line.withheld_e4 for line in lines) == 466_000
    assert header.ledger_line_count == header.line_count == len(lines) == 16


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        pytest.param({"outcomes": [pb.OUTCOME_DAILY_QUOTA]}, 2, id="an outcome"),
        pytest.param({"types": [1, 3]}, 7, id="types"),
        pytest.param({"types": [1], "outcomes": [pb.OUTCOME_EARNED]}, 4, id="both"),
        pytest.param({"types": [10]}, 0, id="nothing"),
    ],
)
async def test_filters_choose_lines_and_leave_the_sums(
    service: Service, filters: dict[str, Any], left: int
) -> None:
    whole, everything = await ask(service.scoring, board=service.board(), entity_id=1)
    header, lines = await ask(service.scoring, board=service.board(), entity_id=1, **filters)
    assert len(lines) == header.line_count == left
    assert [each for each in everything if each in lines] == lines
    header.line_count = whole.line_count
    assert header == whole


async def test_a_team_is_explained_member_by_member(service: Service) -> None:
    board = service.board(entity=2)
    header, lines = await ask(service.scoring, board=board, entity_id=100)
    assert header.entity_name == "team100"
    assert [each.user_login for each in header.members] == ["user1", "user2"]
    for member in header.members:
        own = [line for line in lines if line.member_id == member.user_id]
        alone, _ = await ask(service.scoring, board=service.board(), entity_id=member.user_id)
        assert (member.score_e4, member.score) == (alone.score_e4, alone.score)
        assert (total(own), len(own)) == (member.score_e4, member.line_count)
    assert sum(each.score_e4 for each in header.members) == header.score_e4 == total(lines)


@pytest.mark.parametrize(
    ("scope", "scope_id", "entity", "entity_id"),
    [
        pytest.param(1, 0, 1, 1, id="organization-contributor"),
        pytest.param(1, 77, 2, 100, id="organization-team"),
        pytest.param(1, 0, 3, 11, id="organization-repository"),
        pytest.param(2, 100, 1, 2, id="team-contributor"),
        pytest.param(2, 100, 3, 11, id="team-repository"),
        pytest.param(3, 10, 1, 1, id="repository-contributor"),
        pytest.param(3, 10, 2, 100, id="repository-team"),
    ],
)
async def test_a_range_that_is_a_periods_window_is_explained_as_the_period(
    service: Service, scope: int, scope_id: int, entity: int, entity_id: int
) -> None:
    board = service.board(scope, scope_id, entity)
    board.time_period = types_pb2.TIME_PERIOD_MONTH
    header, lines = await ask(service.scoring, board=board, entity_id=entity_id)
    window = a_range(service, scope_type=scope, scope_id=scope_id, entity_type=entity)
    window.start_time.FromDatetime(AS_OF - timedelta(days=30) + timedelta(microseconds=1))
    ranged, same = await ask(service.scoring, range=window, entity_id=entity_id)
    assert same == lines
    assert (ranged.materialization_id, ranged.version) == (0, 0)
    ranged.materialization_id, ranged.version = header.materialization_id, header.version
    assert ranged == header
    assert header.score_e4 == total(lines)


async def test_a_range_holds_its_start_and_not_its_end(service: Service) -> None:
    window = a_range(service, start_time=EARLIER, end_time=EARLIER + timedelta(minutes=1))
    header, lines = await ask(service.scoring, range=window, entity_id=1)
    assert [each.title for each in lines if each.title] == ["Commit 0"]
    assert header.as_of.ToMicroseconds() == window.end_time.ToMicroseconds() - 1
    # A part of a microsecond later than an event, which then is not in it.
    window.start_time.nanos += 1
    window.end_time.nanos += 1
    _, lines = await ask(service.scoring, range=window, entity_id=1)
    assert [each.title for each in lines if each.title] == ["Commit 1"]


async def test_lines_of_hidden_repositories_keep_points_and_lose_names(
    service: Service, shared: Shared
) -> None:
    full, plain = await ask(service.scoring, board=service.board(), entity_id=1)
    shared.someone.seen = Access(hidden_repositories=frozenset({11}))
    header, lines = await ask(shared.users, board=service.board(), entity_id=1)
    assert header == full
    for line, known in zip(lines, plain, strict=True):
        assert (line.points_e4, line.outcome) == (known.points_e4, known.outcome)
        if known.repository_id == 10:
            assert line == known
        else:
            named = (line.repository_id, line.repository_full_name, line.number, line.title)
            assert (*named, line.html_url, line.content_hash) == (0, "", 0, "", "", "")
            assert line.user_login == "user1"


HIDING = Access(hidden_repositories=frozenset({11}), hidden_teams=frozenset({101}))
OUTSIDE = Access(readable_repositories=frozenset({10}))


@pytest.mark.parametrize(
    ("seen", "place", "reason"),
    [
        pytest.param(HIDING, (1, 0, 3, 11), "ENTITY_NOT_FOUND", id="hidden repository"),
        pytest.param(HIDING, (1, 0, 2, 101), "ENTITY_NOT_FOUND", id="hidden team"),
        pytest.param(HIDING, (3, 11, 1, 1), "BOARD_NOT_FOUND", id="hidden repository's board"),
        pytest.param(HIDING, (2, 101, 1, 3), "BOARD_NOT_FOUND", id="hidden team's board"),
        pytest.param(OUTSIDE, (1, 0, 1, 1), "BOARD_NOT_FOUND", id="outside of the organization"),
        pytest.param(OUTSIDE, (3, 11, 1, 1), "BOARD_NOT_FOUND", id="outside of the repository"),
        pytest.param(OUTSIDE, (3, 10, 1, 1), "", id="a collaborator's own repository"),
    ],
)
@pytest.mark.parametrize("ranged", [False, True], ids=["board", "range"])
async def test_what_a_user_may_not_see_is_not_there(
    shared: Shared, seen: Access, place: tuple[int, int, int, int], reason: str, ranged: bool
) -> None:
    service = shared.service
    shared.someone.seen = seen
    scope, scope_id, entity, entity_id = place
    asked: dict[str, Any] = {"board": service.board(scope, scope_id, entity)}
    if ranged:
        asked = {"range": a_range(service, scope_type=scope, scope_id=scope_id, entity_type=entity)}
    if not reason:
        header, lines = await ask(shared.users, entity_id=entity_id, **asked)
        assert header.score_e4 == total(lines)
        return
    refused = await refusal(shared.users, entity_id=entity_id, **asked)
    assert told(refused) == ("NOT_FOUND", reason)


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        pytest.param({"installation_id": 404}, "NOT_FOUND", "INSTALLATION_NOT_FOUND", id="tenant"),
        pytest.param({"preset_id": 404}, "NOT_FOUND", "PRESET_NOT_FOUND", id="preset"),
        pytest.param({"scope_id": 78}, "NOT_FOUND", "BOARD_NOT_FOUND", id="organization"),
        pytest.param({"scope_type": 2, "scope_id": 404}, "NOT_FOUND", "BOARD_NOT_FOUND", id="team"),
        pytest.param(
            {"scope_type": 3, "scope_id": 404}, "NOT_FOUND", "BOARD_NOT_FOUND", id="repository"
        ),
        pytest.param(
            {"end_time": EARLIER - timedelta(days=25)}, "NOT_FOUND", "ENTITY_NOT_FOUND", id="empty"
        ),
    ],
)
async def test_a_range_that_can_not_be_explained_says_why(
    service: Service, changes: dict[str, Any], code: str, reason: str
) -> None:
    refused = await refusal(service.scoring, range=a_range(service, **changes), entity_id=1)
    assert told(refused) == (code, reason)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"end_time": AS_OF - timedelta(days=31)}, "range", id="backwards"),
        pytest.param({"start_time": None}, "range.start_time", id="without a start"),
        pytest.param({"scope_type": 3, "scope_id": 0}, "range", id="without a scope"),
        pytest.param(
            {"scope_type": 2, "scope_id": 1, "entity_type": 2}, "range", id="teams' teams"
        ),
    ],
)
async def test_a_range_that_can_not_be_is_refused_field_by_field(
    service: Service, changes: dict[str, Any], field: str
) -> None:
    refused = await refusal(service.scoring, range=a_range(service, **changes), entity_id=1)
    assert told(refused) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert faults(refused) == [field]


async def test_a_range_without_a_whole_microsecond_or_a_real_time_is_refused(
    service: Service,
) -> None:
    window = a_range(service, start_time=EARLIER, end_time=EARLIER)
    window.start_time.nanos += 1
    window.end_time.nanos += 2
    assert faults(await refusal(service.scoring, range=window, entity_id=1)) == ["range.end_time"]
    window.end_time.seconds = 2**62
    assert faults(await refusal(service.scoring, range=window, entity_id=1)) == ["range.end_time"]


async def test_either_a_board_or_a_range_is_explained(service: Service) -> None:
    both = {"board": service.board(), "range": a_range(service)}
    for fields in ({}, both, {"range": a_range(service), "version": 1}):
        refused = await refusal(service.scoring, entity_id=1, **fields)
        assert told(refused) == ("INVALID_ARGUMENT", "INVALID_REQUEST")


@pytest.mark.parametrize("kind", [PrincipalKind.GATEWAY, PrincipalKind.SERVICE])
async def test_gateways_and_services_explain_nothing(service: Service, kind: PrincipalKind) -> None:
    stub = scoring_pb2_grpc.ScoringServiceStub(service.channel(kind))
    refused = await refusal(stub, board=service.board(), entity_id=1)
    assert told(refused) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")


async def test_a_limited_key_explains_its_own_installation_alone(service: Service) -> None:
    channel = service.channel(PrincipalKind.BACKEND, name="limited", installations=[8])
    stub = scoring_pb2_grpc.ScoringServiceStub(channel)
    for fields in ({"board": service.board()}, {"range": a_range(service)}):
        refused = await refusal(stub, entity_id=1, **fields)
        assert told(refused) == ("PERMISSION_DENIED", "INSTALLATION_NOT_COVERED")


async def test_one_installation_takes_no_more_than_its_places(service: Service) -> None:
    ingest = service.peers.ingest
    reads = ingest.reads
    ingest.gate.clear()
    asked = {"range": a_range(service), "entity_id": 1}
    running = [asyncio.create_task(ask(service.scoring, **asked)) for _ in range(2)]
    try:
        async with asyncio.timeout(10):
            while ingest.reads < reads + 2:
                await asyncio.sleep(0.01)
        refused = await refusal(service.scoring, **asked)
    finally:
        ingest.gate.set()
    assert told(refused) == ("RESOURCE_EXHAUSTED", "INSTALLATION_BUSY")
    assert refused.retry_after == timedelta(seconds=1)
    one, other = await asyncio.gather(*running)
    assert one == other == await ask(service.scoring, **asked)
