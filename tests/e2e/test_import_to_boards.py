"""The main job over four processes: real shapes in, ranked and explained boards out."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from laurel.common.v1 import board_pb2, types_pb2
from laurel.leaderboard.v1 import leaderboard_pb2
from laurel.scoring.v1 import preset_pb2, preset_pb2_grpc, scoring_pb2
from laurel_cli.importing.summary import ImportSummary
from tests.support.stack_running import Laurel, until
from tests.support.world_actions import (
    explain,
    import_lines,
    known_of,
    list_signals,
    put_roster,
    reading,
    score,
    until_scored,
)
from tests.support.world_boards import Known, board, expected_rows, shown_rows
from tests.support.world_holding import hold_table
from tests.support.world_integrity import as_told, check_integrity
from tests.support.world_tenants import Tenant, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

TENANT = Tenant(0)


@dataclass(frozen=True, slots=True)
class World:
    """A year that was imported and scored once."""

    laurel: Laurel
    lines: Sequence[bytes]
    summary: ImportSummary
    known: Known
    # When its last word was said.
    ends_at: datetime


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(laurel: Laurel, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The year of two repositories, read back from a gzip file, with the teams, scored."""
    now = datetime.now(UTC)
    file = tmp_path_factory.mktemp("archive") / "year.json.gz"
    file.write_bytes(gzip.compress(b"\n".join(story(now, ("geocoder", "handbook"))) + b"\n"))
    lines = gzip.decompress(file.read_bytes()).splitlines()
    summary = await import_lines(laurel, lines)
    await put_roster(laurel, TENANT, now)
    await score(laurel, TENANT.installation_id)
    return World(laurel, lines, summary, await known_of(laurel, TENANT), now)


async def test_every_board_equals_the_naive_implementation_over_the_listed_signals(
    world: World,
) -> None:
    boards = list(world.known.boards())
    assert len(boards) == 6 * (3 + 4 * 2 + len(world.known.repositories) * 2)
    filled, untold = set(), set[int]()
    async with reading(world.laurel) as reader:
        for each in boards:
            walk = await reader.walk(each, page_size=3)
            as_of = walk.first.as_of.ToDatetime(tzinfo=UTC)
            expected = expected_rows(world.known.expected(each, as_of))
            assert shown_rows(walk.entries) == expected, each
            if walk.entries:
                filled.add((each.scope_type, each.entity_type, each.time_period))
            elif as_of.date() > world.ends_at.date():
                # Nothing has happened yet in a day that has begun since.
                untold.add(types_pb2.TIME_PERIOD_TODAY)
    # Every kind of board has something on it, so that nothing was compared with nothing.
    assert len({(scope, entity) for scope, entity, _ in filled}) == 7
    assert len(untold | {period for _, _, period in filled}) == 6


async def test_one_page_and_many_small_ones_show_the_same(world: World) -> None:
    wanted = _board("organization", TENANT.account_id, "contributor")
    async with reading(world.laurel) as reader:
        whole = await reader.walk(wanted, page_size=500)
        for size in (1, 2, 7):
            walk = await reader.walk(wanted, page_size=size)
            assert walk.entries == whole.entries


@pytest.mark.parametrize("entity", ["contributor", "team", "repository"])
async def test_the_ledgers_of_a_board_sum_to_its_scores(world: World, entity: str) -> None:
    wanted = _board("organization", TENANT.account_id, entity)
    async with reading(world.laurel) as reader:
        walk = await reader.walk(wanted)
    assert walk.entries
    for entry in walk.entries[:6] + walk.entries[-2:]:
        header, lines = await explain(world.laurel, wanted, entry.entity.id)
        assert header.score_e4 == entry.score_e4
        assert (header.rank, header.breakdown, header.counts) == (
            entry.rank,
            entry.breakdown,
            entry.counts,
        )
        assert sum(line.points_e4 + line.penalty_e4 for line in lines) == entry.score_e4


async def test_ledgers_of_narrower_scopes_and_windows_sum_up_too(world: World) -> None:
    repository = max(world.known.repositories, key=lambda each: _busy(world, each))
    for scope, scope_id, entity, period in (
        ("team", TENANT.team_ids[0], "contributor", "quarter"),
        ("team", TENANT.team_ids[3], "repository", "half_year"),
        ("repository", repository, "contributor", "month"),
        ("repository", repository, "team", "all_time"),
    ):
        wanted = board(TENANT.installation_id, scope, scope_id, entity, period)
        async with reading(world.laurel) as reader:
            walk = await reader.walk(wanted)
        assert walk.entries, wanted
        header, lines = await explain(world.laurel, wanted, walk.entries[0].entity.id)
        assert header.score_e4 == walk.entries[0].score_e4
        assert sum(line.points_e4 + line.penalty_e4 for line in lines) == header.score_e4


async def test_every_kind_of_event_became_a_signal_and_none_was_malformed(world: World) -> None:
    # Pushes and pull requests in three shapes, reviews, remarks, issues and comments.
    assert {each.type for each in world.known.signals} == {
        "commit",
        "pr_open",
        "pr_merge",
        "pr_close_no_merge",
        "issue_open",
        "issue_close",
        "review",
        "review_comment",
        "comment",
    }
    assert world.summary.events == len(world.lines)
    assert not world.summary.problems
    assert world.summary.totals.new - world.summary.withdrawn == len(world.known.signals)


async def test_small_pages_of_signals_hold_each_signal_once(world: World) -> None:
    listed = await list_signals(world.laurel, TENANT.installation_id, page_size=97)
    assert len({each.id for each in listed}) == len(listed) == len(world.known.signals)
    times = [each.event_time.ToDatetime() for each in listed]
    assert times == sorted(times, reverse=True)


async def test_the_same_import_again_brings_no_new_signal_and_changes_none(world: World) -> None:
    before = as_told(TENANT, await list_signals(world.laurel, TENANT.installation_id))
    again = await import_lines(world.laurel, world.lines, batch_size=333)
    assert (again.totals.new, again.totals.changed, again.withdrawn) == (0, 0, 0)
    assert again.totals.duplicate > 0
    assert as_told(TENANT, await list_signals(world.laurel, TENANT.installation_id)) == before


async def test_another_order_of_arrival_ends_in_the_same_signals(world: World) -> None:
    tenant = Tenant(1)
    retold = [tenant.retold(line) for line in world.lines]
    await import_lines(world.laurel, retold[::-1], batch_size=150)
    there = as_told(tenant, await list_signals(world.laurel, tenant.installation_id))
    here = as_told(TENANT, await list_signals(world.laurel, TENANT.installation_id))
    assert there == here


async def test_a_board_says_how_much_of_its_scope_is_known(world: World) -> None:
    repository = world.known.signals[0].repository_id
    scopes = (("organization", TENANT.account_id), ("repository", repository))
    requests = [
        leaderboard_pb2.GetLeaderboardRequest(board=_board(*scope, "contributor"))
        for scope in scopes
    ]
    async with reading(world.laurel) as reader:
        whole, one = [(await reader.page(request)).coverage for request in requests]
    assert (whole.repository_count, whole.whole_repository_count) == (2, 0)
    assert whole.line.startswith("0 of 2 repositories whole; 2 never read")
    assert one.line.startswith("not whole; never read")
    assert whole.last_event_time.seconds >= one.last_event_time.seconds > 0


async def test_old_boards_are_read_as_stale_while_a_new_preset_is_scored(world: World) -> None:
    laurel, number = world.laurel, TENANT.installation_id
    await score(laurel, number)
    request = leaderboard_pb2.GetLeaderboardRequest(
        board=_board("organization", TENANT.account_id, "contributor")
    )
    async with reading(laurel) as reader, laurel.caller.channel("scoring") as channel:
        before = await reader.page(request)
        assert before.freshness == leaderboard_pb2.FRESHNESS_FRESH
        presets = preset_pb2_grpc.PresetServiceStub(channel)
        created = await presets.CreatePreset(
            preset_pb2.CreatePresetRequest(installation_id=number, name="bold")
        )
        with hold_table(laurel, "computed_scores", "SHARE") as hold:
            activated = await presets.ActivatePreset(
                preset_pb2.ActivatePresetRequest(
                    installation_id=number, preset_id=created.preset.id
                )
            )
            await hold.until_waited_for("laurel_leaderboard")
            during = await reader.page(request)
            assert during.freshness == leaderboard_pb2.FRESHNESS_STALE
            assert during.materialization_id == before.materialization_id
            assert during.entries == before.entries
        run = scoring_pb2.Scoring(installation_id=number, id=activated.scoring_id)
        await until_scored(laurel, run)

        async def fresh() -> bool:
            page = await reader.page(request)
            return page.freshness == leaderboard_pb2.FRESHNESS_FRESH

        await until(fresh, "the new preset's boards are read")
        after = await reader.page(request)
        assert after.preset_id == created.preset.id


async def test_the_database_holds_together(world: World) -> None:
    check_integrity(world.laurel.connect)


def _board(scope: str, scope_id: int, entity: str) -> board_pb2.Board:
    return board(TENANT.installation_id, scope, scope_id, entity, "all_time")


def _busy(world: World, repository_id: int) -> int:
    return sum(each.repository_id == repository_id for each in world.known.signals)
