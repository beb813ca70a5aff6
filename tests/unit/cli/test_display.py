"""What is printed: points to the digit, tables, ledgers, and nothing that a terminal would obey."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from laurel.common.v1 import board_pb2, coverage_pb2, types_pb2
from laurel.ingest.v1 import signal_imports_pb2
from laurel.leaderboard.v1 import leaderboard_pb2
from laurel.scoring.v1 import explanation_pb2, scoring_pb2
from laurel_cli.display.board import board_table, board_title, entity_name, next_page_hint
from laurel_cli.display.errors import error_line, exit_code
from laurel_cli.display.importing import headline, import_report
from laurel_cli.display.ledger import ledger_table, reason, summed
from laurel_cli.display.scoring import scoring_line
from laurel_cli.display.text import clean, factor, moment, points
from laurel_cli.importing.summary import ImportSummary
from laurel_common.errors import InvalidRequest, RemoteError, Violation


def printed(*what: RenderableType) -> str:
    console = Console(width=200, force_terminal=False)
    with console.capture() as capture:
        for each in what:
            console.print(each)
    return capture.get()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain-login", "plain-login"),
        ("Zoë 王伟", "Zoë 王伟"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x1b]0;a new title\x07b", "ab"),
        ("a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
        ("a\x9b2Jb", "ab"),
        ("a\x1b(0b", "ab"),
        ("a\x1bcb", "ab"),
        ("never ends \x1b]0;title", "never ends"),
        ("bell\x07 back\x08space", "bell backspace"),
        ("two\nlines\r\nand\ttab", "two lines  and tab"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("[bold]markup[/bold]", "[bold]markup[/bold]"),
    ],
)
def test_names_lose_what_a_terminal_would_obey(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.text(alphabet=st.characters(), max_size=60))
def test_nothing_that_controls_a_terminal_is_ever_left(text: str) -> None:
    shown = clean(text)
    assert not any(ord(each) < 0x20 or 0x7F <= ord(each) < 0xA0 for each in shown)
    assert clean(shown) == shown


@pytest.mark.parametrize(
    ("e4", "shown"),
    [
        (0, "0.00"),
        (825_000, "82.50"),
        (-120_000, "-12.00"),
        (1, "0.0001"),
        (-1, "-0.0001"),
        (12_345, "1.2345"),
        (12_340, "1.234"),
        (10_000_000_000, "1,000,000.00"),
    ],
)
def test_points_are_shown_to_the_digit(e4: int, shown: str) -> None:
    assert points(e4) == shown


@given(st.integers(-(10**15), 10**15))
def test_shown_points_say_exactly_what_was_scored(e4: int) -> None:
    whole, _, decimals = points(e4).replace(",", "").partition(".")
    assert int(whole + decimals.ljust(4, "0")) == e4


def test_factors_lose_their_empty_decimals() -> None:
    assert [factor(each) for each in (10_000, 15_000, 6_700, 1_234)] == [
        "1",
        "1.5",
        "0.67",
        "0.1234",
    ]


def test_people_are_shown_by_what_is_known_of_them() -> None:
    known = [("ada", "Ada B"), ("ada", "Ada"), ("~7", "Ada"), ("~7", ""), ("", "")]
    shown = [entity_name(entry(1, login, 0, name=name).entity) for login, name in known]
    assert shown == ["ada (Ada B)", "ada", "Ada", "~7", "id 1"]


def test_a_time_that_is_not_there_is_a_dash() -> None:
    assert moment(Timestamp()) == "-"
    assert moment(Timestamp(seconds=1_447_200_000)) == "2015-11-11 00:00:00"


def entry(
    rank: int, login: str, score_e4: int, *, name: str = "", previous: int | None = None
) -> leaderboard_pb2.Entry:
    return leaderboard_pb2.Entry(
        rank=rank,
        entity=leaderboard_pb2.Entity(
            type=types_pb2.ENTITY_TYPE_CONTRIBUTOR, id=rank, login=login, name=name
        ),
        score_e4=score_e4,
        breakdown=board_pb2.Breakdown(commits_e4=score_e4 + 120_000, penalties_e4=-120_000),
        previous_rank=previous,
    )


def test_a_board_shows_places_moves_names_and_what_scores_are_made_of() -> None:
    answer = leaderboard_pb2.GetLeaderboardResponse(
        entries=[
            entry(1, "ada", 825_000, name="Ada L.", previous=3),
            entry(2, "bob\x1b[2J", 5_000, previous=2),
            entry(2, "", 5_000, previous=1),
            entry(4, "eve", -100_000),
        ],
        total_size=1_204,
        version=7,
        signal_count=31_337,
        freshness=leaderboard_pb2.FRESHNESS_FRESH,
        source=leaderboard_pb2.SOURCE_MEMORY,
        next_page_token="abc",
        coverage=coverage_pb2.CoverageSummary(line="4 of 5 repositories whole"),
    )
    text = printed(
        board_table(board_title("contributors", "acme", "team:web", "half_year"), answer)
    )
    assert "contributors of acme, team:web, half year" in text
    rows = [line.split() for line in text.splitlines() if "▲" in line or "new" in line]
    assert rows[0][:6] == ["1", "3", "▲", "ada", "(Ada", "L.)"]
    assert "82.50" in rows[0]
    assert rows[1][:4] == ["4", "new", "eve", "-10.00"]
    assert "id 2" in text
    assert "\x1b" not in text
    assert "version 7, 1,204 entries from 31,337 signals" in text
    assert "fresh, from memory" in text
    assert "4 of 5 repositories whole" in text
    assert next_page_hint(answer) == ["next page: --page-token abc"]


def test_a_teams_board_shows_members_and_an_empty_one_is_still_a_table() -> None:
    team = leaderboard_pb2.Entry(
        rank=1,
        entity=leaderboard_pb2.Entity(type=types_pb2.ENTITY_TYPE_TEAM, id=5, login="web"),
        member_count=4,
    )
    full = printed(board_table("t", leaderboard_pb2.GetLeaderboardResponse(entries=[team])))
    assert "members" in full
    empty = printed(board_table("t", leaderboard_pb2.GetLeaderboardResponse()))
    assert "score" in empty
    assert "members" not in empty


def line(**fields: object) -> explanation_pb2.LedgerLine:
    usual = {
        "type": types_pb2.SIGNAL_TYPE_COMMIT,
        "outcome": explanation_pb2.OUTCOME_EARNED,
        "base_e4": 100_000,
        "decay_e4": 10_000,
        "repository_id": 9,
    }
    return explanation_pb2.LedgerLine(**{**usual, **fields})  # type: ignore[arg-type]  # a builder


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (line(), "10.00"),
        (line(decay_e4=6_700, week_position=12), "10.00 x 0.67 (12th of the week)"),
        (line(decay_e4=8_900, week_position=21), "10.00 x 0.89 (21st of the week)"),
        (
            line(
                multipliers=[
                    explanation_pb2.AppliedMultiplier(
                        kind="first_activity", factor_e4=15_000, points_e4=150_000
                    ),
                    explanation_pb2.AppliedMultiplier(
                        kind="merged_pr_commit", factor_e4=12_000, points_e4=180_000
                    ),
                ]
            ),
            "10.00 x 1.5 first_activity = 15.00 x 1.2 merged_pr_commit",
        ),
        (
            line(
                type=types_pb2.SIGNAL_TYPE_REVIEW,
                base_e4=200_000,
                review_state=types_pb2.REVIEW_STATE_APPROVED,
                review_weight_e4=12_500,
            ),
            "20.00 x 1.25 approved",
        ),
        (
            line(outcome=explanation_pb2.OUTCOME_DAILY_QUOTA, day_position=5, day_quota=4),
            "daily_quota: 5th of 4 a day",
        ),
        (line(outcome=explanation_pb2.OUTCOME_SELF_MERGE), "self_merge"),
    ],
    ids=["plain", "decay", "21st", "multipliers", "review", "quota", "zero"],
)
def test_a_line_says_how_its_points_came_about(
    found: explanation_pb2.LedgerLine, shown: str
) -> None:
    assert reason(found) == shown


def test_the_running_sum_ends_on_the_score_also_where_only_the_last_lines_are_shown() -> None:
    named = {"repository_full_name": "acme/tile\x1b[1mserver"}
    lines = [line(points_e4=each, **named) for each in (100_000, 0, 50_000)]
    lines[1].penalty_e4 = -120_000
    header = explanation_pb2.ExplainScoreHeader(
        rank=2, score_e4=30_000, version=4, line_count=3, ledger_line_count=5
    )
    found = summed(lines)
    assert [each.sum_e4 for each in found] == [100_000, -20_000, 30_000]
    text = printed(ledger_table("t", header, found[-2:]))
    rows = [row.split() for row in text.splitlines() if "tileserver" in row]
    assert [row[-1] for row in rows] == ["-2.00", "3.00"]
    assert "2 of 5 lines" in text
    assert "rank 2 with 3.00 points, version 4" in text


def test_a_teams_ledger_names_the_members_and_their_shares() -> None:
    header = explanation_pb2.ExplainScoreHeader(line_count=1)
    header.members.add(user_id=7, user_login="ada", score_e4=25_000)
    header.members.add(user_id=8, score_e4=-5_000)
    text = printed(ledger_table("t", header, summed([line(member_id=7, user_login="ada")])))
    assert "by member: ada 2.50, id 8 -0.50" in text
    assert "id 9" in text
    assert "all 1 lines" in text


def test_a_ledger_shows_things_places_and_what_was_kept() -> None:
    header = explanation_pb2.ExplainScoreHeader(line_count=3, bot_signal_count=2)
    header.withheld.add(outcome=explanation_pb2.OUTCOME_EARNED, signal_count=3, withheld_e4=66_000)
    header.withheld.add(outcome=explanation_pb2.OUTCOME_PENALTY_ONLY, signal_count=1)
    commit = "https://github.com/acme/a/commit/dbd68d30ee1f7b60d404553fc1c6226ebb374c8e"
    lines = summed(
        [
            line(html_url=commit, day_position=2, day_quota=4, week_position=12),
            line(number=7, day_position=1),
            line(repository_id=0),
        ]
    )
    text = printed(ledger_table("t", header, lines))
    rows = text.splitlines()
    assert any("dbd68d3  " in row and " 2/4 " in row and " 12 " in row for row in rows)
    assert any("#7" in row for row in rows)
    assert any("(hidden)" in row for row in rows)
    assert " ".join(text.split()).endswith(
        "kept from it, before multipliers: 3 x diminishing returns (-6.60), "
        "1 x penalty_only, 2 x made by a bot"
    )
    assert commit in "".join(printed(ledger_table("t", header, lines, urls=True)).split())


def test_an_error_is_one_line_with_reason_fields_and_request() -> None:
    error = RemoteError(
        "INVALID_ARGUMENT",
        "INVALID_REQUEST",
        "the request is invalid",
        violations=[Violation("page_size", "at most\n500"), Violation("board", "is required")],
        request_id="abc-1",
    )
    assert error_line(error) == (
        "INVALID_REQUEST: the request is invalid (page_size: at most 500; board: is required) "
        "[request abc-1]"
    )
    assert exit_code(error) == 2


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("NOT_FOUND", 3),
        ("UNAUTHENTICATED", 4),
        ("PERMISSION_DENIED", 4),
        ("UNAVAILABLE", 5),
        ("RESOURCE_EXHAUSTED", 5),
        ("INTERNAL", 1),
    ],
)
def test_exit_codes_tell_kinds_of_failure_apart(code: str, number: int) -> None:
    assert exit_code(RemoteError(code, "", "text")) == number
    assert error_line(RemoteError(code, "", "text")) == f"{code}: text"


def test_an_error_of_our_own_is_told_like_one_of_a_service() -> None:
    assert error_line(InvalidRequest.of(("name", "is empty"))) == "INVALID_REQUEST: name: is empty"


def test_an_imports_report_adds_up_batches_and_names_problems() -> None:
    summary = ImportSummary()
    for number in (1, 2):
        summary.add(
            signal_imports_pb2.ImportEventsResponse(
                event_count=100,
                signals=[
                    signal_imports_pb2.SignalTypeCount(
                        type=types_pb2.SIGNAL_TYPE_COMMIT, new_count=40, duplicate_count=2
                    ),
                    signal_imports_pb2.SignalTypeCount(
                        type=types_pb2.SIGNAL_TYPE_REVIEW, changed_count=number
                    ),
                ],
                withdrawn_count=1,
                skipped=[signal_imports_pb2.SkippedCount(reason="unknown_event_type", count=8)],
                problems=[
                    signal_imports_pb2.LineProblem(
                        file_name="a\x1b[2J.json", line_number=3, reason="malformed_json",
                        description="not JSON",
                    )
                ],
                installation_ids=[-number],
            )
        )  # fmt: skip
    assert headline(summary) == (
        "200 events read: 80 new signals, 3 changed, 4 known already, 2 withdrawn"
    )
    text = printed(*import_report(summary))
    assert ["review", "0", "3", "0"] in [row.split() for row in text.splitlines()]
    assert "left out: 16 unknown_event_type" in text
    assert text.count("a.json:3: malformed_json: not JSON") == 2
    assert summary.installation_ids == {-1, -2}


def test_a_run_tells_how_far_it_is() -> None:
    run = scoring_pb2.Scoring(id=4, state=scoring_pb2.SCORING_STATE_SUCCEEDED)
    run.boards_total, run.boards_published, run.signal_count = 90, 90, 12_000
    run.start_time.FromMilliseconds(1_000)
    run.end_time.FromMilliseconds(2_500)
    assert scoring_line(run) == "run 4 succeeded: 90 of 90 boards from 12,000 signals in 1.5 s"
    assert (
        scoring_line(scoring_pb2.Scoring(id=5, state=scoring_pb2.SCORING_STATE_QUEUED))
        == "run 5 queued"
    )
