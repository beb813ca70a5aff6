"""PreviewRules over the wire: both boards, what each rule moved, and nothing stored."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.field_mask_pb2 import FieldMask

from laurel.common.v1 import types_pb2
from laurel.scoring.v1 import preset_pb2, range_pb2
from tests.rpc.scoring.conftest import Service, Shared
from tests.rpc.scoring.preset_calls import create, get
from tests.rpc.scoring.preview_calls import only, preview
from tests.support.scoring_history import ROSTER, history

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_BOTS_LEFT_OUT = preset_pb2.Rules(
    zero_point_conditions=[
        preset_pb2.ZERO_POINT_KIND_SELF_REVIEW,
        preset_pb2.ZERO_POINT_KIND_SELF_MERGE,
        preset_pb2.ZERO_POINT_KIND_ISSUE_CLOSED_NO_PR,
        preset_pb2.ZERO_POINT_KIND_PR_CLOSED_NO_MERGE,
    ]
)


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def service(shared: Shared) -> AsyncIterator[Service]:
    shared.service.peers.identity.roster = ROSTER
    shared.service.peers.ingest.signals = history()
    await shared.service.score()
    yield shared.service


async def test_the_active_rules_move_nothing(service: Service) -> None:
    active = await get(service)
    for candidate in ({"rules": active.rules}, {"candidate_preset_id": active.id}):
        header, entries = await preview(service, **candidate)
        assert (list(header.effects), header.moved_count) == ([], 0)
        assert header.current_total_e4 == header.candidate_total_e4
        assert header.current_rules == header.candidate_rules == active.rules
        assert [each.rank for each in entries] == [1, 2, 3]
        for entry in entries:
            assert (entry.rank, entry.score_e4) == (entry.current_rank, entry.current_score_e4)
            assert (entry.rank_gain, entry.score_gain_e4) == (0, 0)
            assert entry.breakdown == entry.current_breakdown


async def test_a_preview_says_what_becomes_of_everybody(service: Service) -> None:
    rules = preset_pb2.Rules()
    rules.CopyFrom((await get(service)).rules)
    del rules.daily_quotas[:]
    rules.spam_penalty_e4 = -10_000_000
    rules.pr_closed_no_merge_penalty_e4 = -100
    header, (first, second, third) = await preview(service, rules=rules, top_size=2)
    assert [each.field for each in header.effects] == [
        "rules.spam_penalty_e4",
        "rules.pr_closed_no_merge_penalty_e4",
        "rules.daily_quotas[commit]",
        "rules.daily_quotas[comment]",
    ]
    assert [each.entity_count for each in header.effects] == [1, 1, 1, 0]
    assert header.effects[0].points_e4 == -header.effects[0].moved_e4 == -9_880_000
    difference = header.candidate_total_e4 - header.current_total_e4
    assert sum(each.points_e4 for each in header.effects) == difference
    assert sum(each.score_gain_e4 for each in (first, second, third)) == difference
    assert [each.entity_name for each in (first, second, third)] == ["user1", "user3", "user2"]
    assert (second.current_rank, second.rank, second.rank_gain, second.enters_top) == (
        3,
        2,
        1,
        True,
    )
    assert (third.current_rank, third.rank, third.rank_gain) == (2, 3, -1)
    assert (second.enters_top, second.leaves_top) == (third.leaves_top, third.enters_top)
    assert second.enters_top
    assert third.score == f"{third.score_e4 / 10_000:.4f}"
    assert third.breakdown.penalties_e4 == -10_000_000
    assert (header.top_size, header.top_entered_count, header.moved_count) == (2, 1, 2)
    assert (header.current_size, header.candidate_size) == (3, 3)


async def test_who_enters_and_who_leaves_is_told(service: Service) -> None:
    service.peers.identity.roster = replace(ROSTER, bots=frozenset({3}))
    try:
        header, entries = await preview(
            service, **only("zero_point_conditions", **_fields(NO_BOTS_LEFT_OUT))
        )
        assert (header.entered_count, header.left_count) == (1, 0)
        (entered,) = (each for each in entries if not each.HasField("current_rank"))
        assert (entered.entity_id, entered.rank_gain, entered.current_score) == (3, 0, "")
        preset = await create(service, "with bots")
        await service.presets.UpdatePreset(
            preset_pb2.UpdatePresetRequest(
                installation_id=service.installation,
                preset_id=preset.id,
                etag=preset.etag,
                rules=NO_BOTS_LEFT_OUT,
                update_mask=FieldMask(paths=["rules.zero_point_conditions"]),
            )
        )
        board = service.board()
        board.preset_id = preset.id
        default = (await get(service)).id
        header, entries = await preview(service, board=board, candidate_preset_id=default)
        assert (header.preset_id, header.left_count) == (preset.id, 1)
        assert (entries[-1].entity_id, entries[-1].HasField("rank")) == (3, False)
        assert entries[-1].score_gain_e4 == -entries[-1].current_score_e4
        assert [each.field for each in header.effects] == [
            "rules.zero_point_conditions[bot_activity]"
        ]
    finally:
        service.peers.identity.roster = ROSTER


def _fields(rules: preset_pb2.Rules) -> dict[str, Any]:
    return {"zero_point_conditions": list(rules.zero_point_conditions)}


@pytest.mark.parametrize(
    ("scope", "scope_id", "entity"),
    [
        pytest.param(1, 0, 1, id="organization-contributors"),
        pytest.param(1, 77, 2, id="organization-teams"),
        pytest.param(1, 0, 3, id="organization-repositories"),
        pytest.param(2, 100, 1, id="team-contributors"),
        pytest.param(3, 10, 2, id="repository-teams"),
    ],
)
async def test_the_current_side_is_the_board_and_a_range_the_same(
    service: Service, scope: int, scope_id: int, entity: int
) -> None:
    candidate = only("weekly_threshold", weekly_threshold=0)
    board = service.board(scope, scope_id, entity)
    board.time_period = types_pb2.TIME_PERIOD_MONTH
    header, entries = await preview(service, board=board, **candidate)
    rows = service.peers.leaderboard.rows(
        scope, scope_id or 77, entity, types_pb2.TIME_PERIOD_MONTH
    )
    assert sorted(
        (each.current_rank, each.entity_id, each.current_score_e4) for each in entries
    ) == [(row["rank"], row["entity_id"], row["score_e4"]) for row in rows]
    window = range_pb2.RangeBoard(
        installation_id=service.installation,
        scope_type=scope,  # type: ignore[arg-type]  # the wire's number
        scope_id=scope_id,
        entity_type=entity,  # type: ignore[arg-type]  # the wire's number
    )
    window.end_time.FromMicroseconds(header.as_of.ToMicroseconds() + 1)
    window.start_time.FromMicroseconds(header.as_of.ToMicroseconds() - 30 * 86_400_000_000)
    assert await preview(service, range=window, **candidate) == (header, entries)
    assert bool(header.effects) == bool(entries)


async def test_entries_can_be_the_first_ones_alone(service: Service) -> None:
    whole, everybody = await preview(service, **only("weekly_threshold", weekly_threshold=0))
    header, some = await preview(
        service, max_entries=2, **only("weekly_threshold", weekly_threshold=0)
    )
    assert some == everybody[:2]
    header.entry_count = whole.entry_count
    assert header == whole


async def test_nothing_of_it_is_stored(service: Service) -> None:
    def kept() -> list[Any]:
        with service.database.connect() as owner:
            return [
                owner.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our tables
                for table in ("scoring_presets", "scoring_preset_changes", "scoring_runs")
            ]

    before, publications = kept(), service.peers.leaderboard.publications
    await preview(service, **only("weekly_threshold", weekly_threshold=3))
    assert (kept(), service.peers.leaderboard.publications) == (before, publications)
