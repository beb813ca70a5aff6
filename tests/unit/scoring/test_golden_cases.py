"""The worked cases come out to the digit, ledger included, from both implementations."""

import json
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from laurel_scoring.domain import kernel
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.explanation import explain
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.results import BoardFamily
from laurel_scoring.domain.roster import Roster, Team
from laurel_scoring.domain.timeline import Timeline
from laurel_scoring.domain.vocabulary import (
    Category,
    EntityType,
    Outcome,
    ScopeType,
    SignalType,
    TimePeriod,
)
from tests.support import naive_scoring as naive
from tests.support.naive_scoring import NaiveRules, NaiveSignal
from tests.support.scoring_builders import NAIVE_DEFAULT_RULES, columns, naive_rules, rule_set

CASES = json.loads((Path(__file__).parents[2] / "golden" / "scoring.json").read_text())
KINDS = {
    "contributors": (EntityType.CONTRIBUTOR, "user_id"),
    "repositories": (EntityType.REPOSITORY, "repository_id"),
    "teams": (EntityType.TEAM, "team_id"),
}
BOARDS = [(case, kind) for case in CASES for kind in KINDS if kind in case]
IDS = [f"{case['name']}-{kind}" for case, kind in BOARDS]


def signals_of(case: Mapping[str, Any]) -> list[NaiveSignal]:
    return [
        NaiveSignal(
            each["user_id"],
            each["repository_id"],
            each["type"],
            datetime.fromisoformat(each["event_timestamp"]),
            each["content_hash"],
            Fraction(str(each["value"])),
            each["metadata"],
        )
        for each in case["signals"]
    ]


def rules_of(case: Mapping[str, Any]) -> NaiveRules:
    return NAIVE_DEFAULT_RULES if case["rules"] == "default" else naive_rules(case["rules"])


def windows_of(case: Mapping[str, Any]) -> Windows:
    if "range" in case:
        start = datetime.fromisoformat(case["range"]["from"])
        end = datetime.fromisoformat(case["range"]["to"])
        return Windows.of_range(to_microseconds(start), to_microseconds(end))
    as_of = to_microseconds(datetime.fromisoformat(case["as_of"]))
    return Windows.of_periods(as_of, [TimePeriod[case["period"].upper()]])


def evaluation_of(case: Mapping[str, Any]) -> Evaluation:
    signals = signals_of(case)
    teams = case.get("team_members", {}).items()
    roster = Roster(
        organization_id=1,
        repositories=frozenset(each.repository_id for each in signals),
        teams=tuple(Team(int(team), frozenset(members)) for team, members in teams),
        bots=frozenset(case["bot_users"]),
    )
    timeline = Timeline.of(columns(signals))
    return Evaluation(timeline, roster, rule_set(rules_of(case)), windows_of(case))


def points(number_e4: int) -> str:
    sign = "-" if number_e4 < 0 else ""
    return f"{sign}{abs(number_e4) // 10_000}.{abs(number_e4) % 10_000:04d}"


def row_as_document(family: BoardFamily, row: int, id_name: str) -> dict[str, Any]:
    counts = {
        kind.name.lower(): int(family.counts[row, kind])
        for kind in SignalType
        if family.counts[row, kind]
    }
    document = {
        "rank": int(family.rank[row]),
        id_name: int(family.entity_id[row]),
        "score": points(int(family.score_e4[row])),
        "breakdown": {
            part.name.lower(): points(int(family.breakdown_e4[row, part])) for part in Category
        },
        "counts": counts,
        "additions": int(family.additions[row]),
        "deletions": int(family.deletions[row]),
    }
    if family.member_count is not None:
        document["member_count"] = int(family.member_count[row])
    return document


@pytest.mark.parametrize(("case", "kind"), BOARDS, ids=IDS)
def test_the_engine_gives_every_digit_of_a_golden_board(case: dict[str, Any], kind: str) -> None:
    entity_type, id_name = KINDS[kind]
    family = evaluation_of(case).family(ScopeType.ORGANIZATION, entity_type)
    rows = [row_as_document(family, row, id_name) for row in range(len(family.entity_id))]
    expected = [{k: v for k, v in each.items() if k != "ledger"} for each in case[kind]]
    assert rows == expected


@pytest.mark.parametrize(("case", "kind"), BOARDS, ids=IDS)
def test_the_engine_gives_every_line_of_a_golden_ledger(case: dict[str, Any], kind: str) -> None:
    entity_type, id_name = KINDS[kind]
    evaluation = evaluation_of(case)
    hashes = columns(signals_of(case)).content_hash
    for each in case[kind]:
        told = explain(evaluation, ScopeType.ORGANIZATION, 1, entity_type, each[id_name])
        assert told is not None
        assert points(told.ledger.total_e4()) == each["score"]
        lines = [
            {
                "content_hash": hashes[evaluation.timeline.source[position]].tobytes().hex(),
                "points": points(int(line[kernel.POINTS])),
                "penalty": points(int(line[kernel.PENALTY])),
                "outcome": Outcome(int(line[kernel.OUTCOME])).name.lower(),
            }
            for position, line in zip(told.ledger.position, told.ledger.lines, strict=True)
        ]
        if "ledger" in each:
            assert lines == each["ledger"]


@pytest.mark.parametrize(("case", "kind"), BOARDS, ids=IDS)
def test_the_naive_implementation_agrees_with_the_golden_cases(
    case: dict[str, Any], kind: str
) -> None:
    signals, rules = signals_of(case), rules_of(case)
    if "range" in case:
        start = datetime.fromisoformat(case["range"]["from"])
        end = datetime.fromisoformat(case["range"]["to"])
        signals = [each for each in signals if start <= each.event_timestamp < end]
    else:
        as_of = datetime.fromisoformat(case["as_of"])
        signals = naive.window(signals, case["period"], as_of)
    mode = "repository" if kind == "repositories" else "contributor"
    results = naive.evaluate(signals, rules, case["bot_users"], mode=mode)
    if kind == "teams":
        teams = {int(team): people for team, people in case["team_members"].items()}
        results = naive.sum_teams(results, teams)
    board = naive.rank(results)
    id_name = KINDS[kind][1]
    assert [
        (entity, result.rank, points(int(result.score * 10_000))) for entity, result in board
    ] == [(each[id_name], each["rank"], each["score"]) for each in case[kind]]
    for (_, result), each in zip(board, case[kind], strict=True):
        lines = [
            (line.signal.content_hash, points(int(line.points * 10_000)), line.outcome)
            for line in result.ledger
        ]
        if "ledger" in each:
            assert lines == [(x["content_hash"], x["points"], x["outcome"]) for x in each["ledger"]]
