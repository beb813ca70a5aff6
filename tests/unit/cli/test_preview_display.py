"""Previews as they are printed."""

from rich.console import Console

from laurel.common.v1 import types_pb2
from laurel.scoring.v1 import preview_pb2 as pb
from laurel.scoring.v1 import range_pb2
from laurel_cli.display.board import range_table
from laurel_cli.display.preview import effects_table, preview_table

HEADER = pb.PreviewRulesHeader(
    current_size=3, candidate_size=2, left_count=1, entered_count=1, moved_count=1, top_size=10,
    top_entered_count=1, current_total_e4=1_500_000, candidate_total_e4=1_250_000, signal_count=40,
    effects=[
        pb.RuleEffect(
            field="rules.base_points[commit]", points_e4=-250_000, moved_e4=350_000, entity_count=2
        ),
        pb.RuleEffect(field="rules.weekly_threshold"),
    ],
)  # fmt: skip
ENTRIES = [
    pb.PreviewEntry(
        entity_id=1, entity_name="ada\x1b[2J", current_rank=2, current_score_e4=10_000, rank=1,
        score_e4=60_000, rank_gain=1, score_gain_e4=50_000,
    ),
    pb.PreviewEntry(entity_id=2, rank=2, score_e4=5_000, score_gain_e4=5_000),
    pb.PreviewEntry(current_rank=1, current_score_e4=30_000, score_gain_e4=-30_000),
]  # fmt: skip


def printed(entries: list[pb.PreviewEntry]) -> str:
    console = Console(width=160, force_terminal=False)
    with console.capture() as capture:
        console.print(preview_table("contributors of acme", HEADER, entries))
        console.print(effects_table(HEADER))
    return capture.get()


def test_both_boards_stand_side_by_side() -> None:
    rows = [row.split() for row in printed(ENTRIES).splitlines()]
    assert ["2", "1", "▲1", "ada", "1.00", "6.00", "+5.00"] in rows
    assert ["·", "2", "enters", "id", "2", "·", "0.50", "+0.50"] in rows
    assert ["1", "·", "leaves", "(hidden)", "3.00", "·", "-3.00"] in rows


def test_what_comes_of_it_and_what_each_rule_moves_is_said() -> None:
    text = " ".join(printed(ENTRIES).split())
    assert "1 of 3 change their rank, 1 enter, 1 leave, 1 come into the first 10" in text
    assert "all scores 150.00 now, 125.00 then; 40 signals" in text
    assert "base_points[commit] 2 35.00 -25.00" in text
    assert "weekly_threshold 0 0.00 ·" in text
    assert "--limit" not in text
    assert "the first 1 of 3; --limit shows more" in " ".join(printed(ENTRIES[:1]).split())


def test_a_board_over_a_range_is_shown_as_other_boards_are() -> None:
    answer = range_pb2.ScoreRangeResponse(total_size=7, signal_count=1_200, preset_id=3)
    answer.entries.add(rank=1, entity_id=5, entity_name="web", score_e4=12_500, member_count=4)
    answer.entries.add(rank=2, entity_id=0, score_e4=-5_000, member_count=1)
    console = Console(width=160, force_terminal=False)
    with console.capture() as capture:
        console.print(range_table("teams of acme", answer, types_pb2.ENTITY_TYPE_TEAM))
    rows = [row.split() for row in capture.get().splitlines()]
    assert ["1", "web", "4", "1.25", *"······"] in rows
    assert any(row[:2] == ["2", "(hidden)"] for row in rows)
    assert "7 entries from 1,200 signals, computed when asked for, by preset 3" in capture.get()
