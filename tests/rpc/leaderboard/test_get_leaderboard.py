"""LeaderboardService.GetLeaderboard over the wire."""

from datetime import timedelta
from typing import Any

import pytest

from laurel.leaderboard.v1.leaderboard_pb2 import (
    FRESHNESS_FRESH,
    FRESHNESS_STALE,
    SOURCE_MEMORY,
    SOURCE_POSTGRESQL,
    GetLeaderboardRequest,
    GetLeaderboardResponse,
)
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import RemoteError
from laurel_leaderboard.domain.boards import BoardKey, EntityType, ScopeType, TimePeriod
from tests.rpc.leaderboard.conftest import Service
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    NOON,
    PRESET,
    TEAMS,
    BoardOf,
    board_message,
    stream_of,
)

SCORES = {3: 500_000, 1: 900_000, 2: 500_000, 4: -120_000}


async def get(service: Service, **fields: Any) -> GetLeaderboardResponse:
    values: dict[str, Any] = {"board": board_message()}
    return await service.boards.GetLeaderboard(GetLeaderboardRequest(**values | fields))


async def test_a_published_board_is_read_by_rank_with_names(service: Service) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    answer = await get(service)
    assert [(e.rank, e.entity.id, e.score_e4, e.score) for e in answer.entries] == [
        (1, 1, 900_000, "90.0000"),
        (2, 2, 500_000, "50.0000"),
        (2, 3, 500_000, "50.0000"),
        (4, 4, -120_000, "-12.0000"),
    ]
    first = answer.entries[0]
    assert (first.entity.login, first.entity.name) == ("contributor-1", "Name 1")
    assert (first.breakdown.commits_e4, first.breakdown.penalties_e4) == (920_000, -20_000)
    assert (first.counts.commit, first.additions, first.deletions) == (3, 11, 5)
    assert not first.HasField("member_count")
    assert not first.HasField("previous_rank")
    assert (answer.total_size, answer.version, answer.preset_id) == (4, 1, PRESET)
    assert answer.signal_count == 3
    assert answer.compute_time.ToDatetime() == NOON.replace(tzinfo=None)
    assert answer.as_of.ToDatetime() == NOON.replace(tzinfo=None)
    assert (answer.freshness, answer.source) == (FRESHNESS_FRESH, SOURCE_POSTGRESQL)
    assert answer.next_page_token == ""


async def test_a_second_read_comes_from_memory_and_says_so(service: Service) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    first, second = await get(service), await get(service)
    assert second.source == SOURCE_MEMORY
    assert second.entries == first.entries


async def test_teams_show_their_members(service: Service) -> None:
    await service.publish(*stream_of(BoardOf({801: 1}, TEAMS)))
    answer = await get(service, board=board_message(TEAMS, scope_id=0))
    assert [(e.entity.id, e.member_count) for e in answer.entries] == [(801, 4)]


async def test_a_walk_shows_each_entry_once_and_one_version(service: Service) -> None:
    await service.publish(*stream_of(BoardOf({n: 1_000 * (n % 3) for n in range(1, 21)})))
    answer = await get(service, page_size=7)
    seen = [entry.entity.id for entry in answer.entries]
    await service.publish(*stream_of(BoardOf({1: 5}), as_of=NOON + timedelta(seconds=1)))
    while answer.next_page_token:
        answer = await get(service, page_size=3, page_token=answer.next_page_token)
        seen += [entry.entity.id for entry in answer.entries]
        assert (answer.version, answer.freshness) == (1, FRESHNESS_STALE)
    assert seen == sorted(range(1, 21), key=lambda n: (-(n % 3), n))
    assert (await get(service)).version == 2


async def test_an_empty_board_has_no_entries_and_is_found(service: Service) -> None:
    await service.publish(*stream_of(BoardOf({})))
    answer = await get(service)
    assert (list(answer.entries), answer.total_size, answer.version) == ([], 0, 1)


async def test_a_board_goes_stale_when_it_was_not_checked_in_time(service: Service) -> None:
    today = CONTRIBUTORS._replace(time_period=TimePeriod.TODAY)
    await service.publish(*stream_of(BoardOf(SCORES, today)))
    service.clock.advance(timedelta(minutes=10))
    assert (await get(service, board=board_message(today))).freshness == FRESHNESS_FRESH
    service.clock.advance(timedelta(microseconds=1))
    assert (await get(service, board=board_message(today))).freshness == FRESHNESS_STALE


async def test_an_unchanged_publish_makes_a_stale_board_fresh_and_no_version(
    service: Service,
) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    later = service.clock.advance(timedelta(days=2))
    assert (await get(service)).freshness == FRESHNESS_STALE
    await service.publish(*stream_of(BoardOf(SCORES), as_of=later))
    service.clock.advance(timedelta(seconds=6))
    answer = await get(service)
    assert (answer.version, answer.freshness) == (1, FRESHNESS_FRESH)


async def test_a_rename_shows_within_a_minute(service: Service) -> None:
    await service.publish(*stream_of(BoardOf({1: 1})))
    await get(service)
    service.profiles.suffix = "-renamed"
    service.clock.advance(timedelta(seconds=60))
    assert (await get(service)).entries[0].entity.login == "contributor-1-renamed"


async def test_without_identity_entries_bear_ids_alone_until_it_is_back(service: Service) -> None:
    await service.publish(*stream_of(BoardOf({1: 1})))
    service.profiles.away = True
    entity = (await get(service)).entries[0].entity
    assert (entity.id, entity.login) == (1, "")
    service.profiles.away = False
    service.clock.advance(timedelta(seconds=2))
    assert (await get(service)).entries[0].entity.login == "contributor-1"


async def test_with_identity_gone_the_last_names_stay(service: Service) -> None:
    await service.publish(*stream_of(BoardOf({1: 1})))
    await get(service)
    service.profiles.away = True
    service.clock.advance(timedelta(minutes=10))
    assert (await get(service)).entries[0].entity.login == "contributor-1"


async def test_a_board_that_was_never_scored_is_not_found(service: Service) -> None:
    with pytest.raises(RemoteError) as failed:
        await get(service)
    assert (failed.value.code, failed.value.reason) == ("NOT_FOUND", "BOARD_NOT_FOUND")


@pytest.mark.parametrize(
    "change",
    [{"preset_id": PRESET + 1}, {"scope_id": 701}, {"installation_id": INSTALLATION + 1}],
    ids=["another preset", "another account", "another installation"],
)
async def test_what_the_installation_does_not_have_is_not_found(
    service: Service, change: dict[str, Any]
) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    with pytest.raises(RemoteError) as failed:
        await get(service, board=board_message(**change))
    assert (failed.value.code, failed.value.reason) == ("NOT_FOUND", "BOARD_NOT_FOUND")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"board": None}, "board"),
        ({"board": board_message(installation_id=0)}, "board.installation_id"),
        ({"board": board_message(scope_type=0)}, "board.scope_type"),
        ({"board": board_message(scope_type=9)}, "board.scope_type"),
        ({"board": board_message(entity_type=0)}, "board.entity_type"),
        ({"board": board_message(time_period=0)}, "board.time_period"),
        ({"board": board_message(scope_type=2, scope_id=0)}, "board"),
        ({"board": board_message(scope_type=2, entity_type=2)}, "board"),
        ({"page_size": 501}, "page_size"),
        ({"page_size": -1}, "page_size"),
        ({"page_token": "x" * 2049}, "page_token"),
    ],
)
async def test_a_faulty_request_names_its_field(
    service: Service, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(RemoteError) as failed:
        await get(service, **fields)
    assert (failed.value.code, failed.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert field in [violation.field for violation in failed.value.violations]


async def test_a_damaged_or_foreign_token_is_refused(service: Service) -> None:
    months = CONTRIBUTORS._replace(time_period=TimePeriod.MONTH)
    await service.publish(*stream_of(BoardOf(SCORES), BoardOf(SCORES, months)))
    token = (await get(service, page_size=2)).next_page_token
    flipped = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    cases: list[dict[str, Any]] = [
        {"page_token": flipped},
        {"page_token": "nonsense!"},
        {"page_token": token, "board": board_message(months)},
        {"page_token": token, "board": board_message(preset_id=PRESET + 1)},
        {"page_token": token, "board": board_message(installation_id=INSTALLATION + 1)},
    ]
    for fields in cases:
        with pytest.raises(RemoteError) as failed:
            await get(service, **fields)
        assert (failed.value.code, failed.value.reason) == (
            "INVALID_ARGUMENT",
            "INVALID_PAGE_TOKEN",
        )
        assert [violation.field for violation in failed.value.violations] == ["page_token"]


async def test_a_walk_ends_with_its_versions_retention(service: Service) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    token = (await get(service, page_size=2)).next_page_token
    later = service.clock.advance(timedelta(seconds=1))
    await service.publish(*stream_of(BoardOf({1: 1}), as_of=later))
    service.clock.advance(timedelta(hours=24) - timedelta(microseconds=1))
    assert (await get(service, page_token=token)).version == 1
    service.clock.advance(timedelta(microseconds=1))
    for _ in range(2):
        with pytest.raises(RemoteError) as failed:
            await get(service, page_token=token)
        assert (failed.value.code, failed.value.reason) == (
            "FAILED_PRECONDITION",
            "VERSION_EXPIRED",
        )
        await service.inner.retire()
        service.clock.advance(timedelta(hours=1))
        await service.inner.retire()


async def test_a_key_that_does_not_cover_the_installation_is_refused(service: Service) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    stub = type(service.boards)(
        service.channel(PrincipalKind.BACKEND, name="narrow", installations=[INSTALLATION + 1])
    )
    with pytest.raises(RemoteError) as failed:
        await stub.GetLeaderboard(GetLeaderboardRequest(board=board_message()))
    assert (failed.value.code, failed.value.reason) == (
        "PERMISSION_DENIED",
        "INSTALLATION_NOT_COVERED",
    )


@pytest.mark.parametrize("kind", [PrincipalKind.SERVICE, PrincipalKind.GATEWAY])
async def test_other_kinds_of_caller_are_refused(service: Service, kind: PrincipalKind) -> None:
    stub = type(service.boards)(service.channel(kind, name=f"some-{kind}"))
    with pytest.raises(RemoteError) as failed:
        await stub.GetLeaderboard(GetLeaderboardRequest(board=board_message()))
    assert (failed.value.code, failed.value.reason) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")


async def test_a_session_that_identity_does_not_know_is_refused(service: Service) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    stub = type(service.boards)(service.server.channel_with(StaticToken("f" * 64)))
    with pytest.raises(RemoteError) as failed:
        await stub.GetLeaderboard(GetLeaderboardRequest(board=board_message()))
    assert (failed.value.code, failed.value.reason) == ("UNAUTHENTICATED", "UNAUTHENTICATED")


async def test_team_and_repository_boards_are_read_by_their_scope(service: Service) -> None:
    team = BoardKey(ScopeType.TEAM, 801, EntityType.REPOSITORY, TimePeriod.WEEK)
    repository = BoardKey(ScopeType.REPOSITORY, 901, EntityType.TEAM, TimePeriod.WEEK)
    await service.publish(*stream_of(BoardOf({902: 7}, team), BoardOf({802: 9}, repository)))
    assert [e.entity.id for e in (await get(service, board=board_message(team))).entries] == [902]
    answer = await get(service, board=board_message(repository))
    assert [(e.entity.id, e.entity.login) for e in answer.entries] == [(802, "team-802")]
