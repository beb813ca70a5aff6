"""What scoring publishes is what leaderboard takes and tells again: both ends real."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from laurel.common.v1 import board_pb2
from laurel.leaderboard.v1 import leaderboard_pb2, leaderboard_pb2_grpc
from laurel_common.auth.keys import generate_private_key
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_common.testing.clock import FakeClock
from laurel_common.testing.server import RunningServer, serving
from laurel_leaderboard.bootstrap import build
from laurel_leaderboard.config import LeaderboardSettings
from laurel_scoring.application.known_boards import Publication
from laurel_scoring.application.ports import BoardKey, PublicationHeader
from laurel_scoring.application.score_installation import computed_ahead
from laurel_scoring.clients.leaderboard import LeaderboardBoards
from laurel_scoring.domain.canonical import rules_from_json, rules_to_json
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.roster import Roster, Team
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.domain.runs import Change
from laurel_scoring.domain.timeline import Timeline
from laurel_scoring.domain.vocabulary import EntityType, ScopeType, TimePeriod
from tests.support import naive_scoring as naive
from tests.support.database import Database
from tests.support.naive_scoring import NaiveSignal
from tests.support.scoring_builders import AS_OF, NAIVE_DEFAULT_RULES, a_signal, columns, e4
from tests.support.scoring_database import an_installation

INSTALLATION, ORGANIZATION, PRESET = 7, 77, 1
ROSTER = Roster(ORGANIZATION, frozenset({10, 11}), (Team(100, frozenset({1, 2})),))
KEY = BoardKey(INSTALLATION, 0, ScopeType.ORGANIZATION, 0, EntityType.TEAM, TimePeriod.ALL_TIME)

BOARD = board_pb2.Board(
    installation_id=INSTALLATION,
    scope_type=1,  # type: ignore[arg-type]  # the wire's number
    entity_type=1,  # type: ignore[arg-type]  # the wire's number
    time_period=6,  # type: ignore[arg-type]  # the wire's number
)


class NoProfiles:
    """Nobody is known by name."""

    async def profiles(self, *_: object) -> dict[int, object]:
        return {}


def seed(database: Database) -> None:
    an_installation(database, INSTALLATION)
    with database.connect() as owner:
        for user in (1, 2, 3):
            owner.execute(
                "INSERT INTO users (id, login, avatar_url) VALUES (%s, %s, '')", (user, f"u{user}")
            )
        for repository in (10, 11):
            owner.execute(
                "INSERT INTO repositories (id, full_name, name, owner_login, organization_id)"
                " VALUES (%s, %s, 'r', 'o', %s)",
                (repository, f"o/r{repository}", ORGANIZATION),
            )
        owner.execute(
            "INSERT INTO teams (id, organization_id, slug, name) VALUES (100, %s, 't', 't')",
            (ORGANIZATION,),
        )
        owner.execute(
            "INSERT INTO scoring_presets (id, installation_id, preset_name, is_active)"
            " VALUES (%s, %s, 'default', true)",
            (PRESET, INSTALLATION),
        )


@pytest.fixture
async def leaderboard(
    database: Database, redis_url: str, tmp_path: Path
) -> AsyncIterator[RunningServer]:
    seed(database)
    key_file = tmp_path / "leaderboard.key"
    generate_private_key(key_file)
    settings = LeaderboardSettings.model_validate(
        {
            "database_url": database.url("laurel_leaderboard"),
            "redis_url": redis_url,
            "trust_file": tmp_path / "trust.toml",
            "key_file": key_file,
        }
    )
    inner = build(settings, clock=FakeClock(AS_OF), profiles=NoProfiles())  # type: ignore[arg-type]  # knows nobody
    async with serving(
        inner.servicers,
        tmp_path,
        settings=settings,
        health_checks=inner.checks,
        closers=inner.closers,
    ) as server:
        yield server


@pytest.fixture
def boards(leaderboard: RunningServer) -> LeaderboardBoards:
    return LeaderboardBoards(leaderboard.channel(PrincipalKind.SERVICE, name="scoring"))


def some_signals() -> list[NaiveSignal]:
    return [
        a_signal("commit", at=AS_OF - timedelta(hours=n), user=1 + n % 3, repository=10 + n % 2)
        for n in range(12)
    ] + [a_signal("spam", at=AS_OF - timedelta(days=3), user=3, repository=10)]


async def publish(
    boards: LeaderboardBoards,
    signals: list[NaiveSignal],
    *,
    later: int = 0,
    mark: int = 0,
) -> int:
    as_of = AS_OF + timedelta(microseconds=later)
    windows = Windows.of_periods(to_microseconds(as_of))
    evaluation = Evaluation(Timeline.of(columns(signals)), ROSTER, DEFAULT_RULES, windows)
    header = PublicationHeader(
        installation_id=INSTALLATION,
        preset_id=PRESET,
        organization_id=ORGANIZATION,
        as_of=as_of,
        rules_json=rules_to_json(DEFAULT_RULES),
        input_mark=f"mark-{later}",
        periods=windows.periods,
        stale_mark=mark,
    )
    publication = Publication(header, evaluation, None)
    return await boards.publish(header, computed_ahead(publication))


async def test_a_published_board_is_read_back_to_the_digit(
    leaderboard: RunningServer, boards: LeaderboardBoards
) -> None:
    # Organization 3, team 2, two repositories 2 each; six periods.
    assert await publish(boards, some_signals()) == 54
    reader = leaderboard_pb2_grpc.LeaderboardServiceStub(leaderboard.channel())
    page = await reader.GetLeaderboard(leaderboard_pb2.GetLeaderboardRequest(board=BOARD))
    expected = naive.rank(
        naive.evaluate(some_signals(), NAIVE_DEFAULT_RULES, (), mode="contributor")
    )
    assert [(each.rank, each.entity.id, each.score_e4) for each in page.entries] == [
        (result.rank, entity, e4(result.score)) for entity, result in expected
    ]


async def test_a_version_tells_what_it_was_made_of(boards: LeaderboardBoards) -> None:
    assert await boards.current(KEY) is None
    await publish(boards, some_signals())
    version = await boards.current(KEY)
    assert version is not None
    assert (version.preset_id, version.scope_id, version.version) == (PRESET, ORGANIZATION, 1)
    assert (version.as_of, version.input_mark) == (AS_OF, "mark-0")
    assert rules_from_json(version.rules_json) == DEFAULT_RULES


async def test_equal_rows_are_no_new_version_and_other_rows_are(boards: LeaderboardBoards) -> None:
    await publish(boards, some_signals())
    assert await publish(boards, some_signals(), later=1) == 54
    unchanged = await boards.current(KEY)
    assert unchanged is not None
    assert unchanged.version == 1
    await publish(boards, [*some_signals(), a_signal("review", user=2, repository=11)], later=2)
    changed = await boards.current(KEY)
    assert changed is not None
    assert (changed.version, changed.input_mark) == (2, "mark-2")


async def test_an_older_publication_is_refused_by_its_reason(boards: LeaderboardBoards) -> None:
    await publish(boards, some_signals(), later=5)
    with pytest.raises(RemoteError) as refused:
        await publish(boards, some_signals()[:3], later=4)
    assert (refused.value.code, refused.value.reason) == ("ABORTED", "NEWER_VERSION_EXISTS")


async def test_boards_are_stale_until_a_publication_settles_the_last_mark(
    leaderboard: RunningServer, boards: LeaderboardBoards
) -> None:
    reader = leaderboard_pb2_grpc.LeaderboardServiceStub(leaderboard.channel())

    async def freshness() -> int:
        request = leaderboard_pb2.GetLeaderboardRequest(board=BOARD)
        return (await reader.GetLeaderboard(request)).freshness

    await publish(
        boards, some_signals(), mark=await boards.mark_stale(INSTALLATION, Change.SIGNALS)
    )
    assert await freshness() == leaderboard_pb2.FRESHNESS_FRESH
    read_under = await boards.mark_stale(INSTALLATION, Change.PRESET)
    assert await freshness() == leaderboard_pb2.FRESHNESS_STALE
    meanwhile = await boards.mark_stale(INSTALLATION, Change.ROSTER)
    await publish(boards, some_signals(), later=1, mark=read_under)
    assert await freshness() == leaderboard_pb2.FRESHNESS_STALE
    await publish(boards, some_signals(), later=2, mark=meanwhile)
    assert await freshness() == leaderboard_pb2.FRESHNESS_FRESH
