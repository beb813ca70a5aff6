"""Ranges and what ledgers say beside their sums equal the naive implementation, and the periods."""

from datetime import datetime, timedelta

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laurel_scoring.domain import kernel
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.explanation import explain
from laurel_scoring.domain.ledger_lines import lines_of, member_scores, withheld_by_outcome
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.results import BoardFamily
from laurel_scoring.domain.roster import Roster
from laurel_scoring.domain.timeline import Timeline
from laurel_scoring.domain.vocabulary import EntityType, Outcome, TimePeriod
from tests.support import naive_scoring as naive
from tests.support import scoring_strategies as generated
from tests.support.naive_scoring import NaiveLine, NaiveRules, NaiveSignal
from tests.support.scoring_builders import columns, e4, rule_set
from tests.unit.scoring.test_engine_against_naive import (
    assert_rows_equal,
    in_scope,
    naive_board,
    worlds,
)

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
World = tuple[datetime, list[NaiveSignal], NaiveRules, Roster]


@st.composite
def ranges(draw: st.DrawFn) -> tuple[World, datetime, datetime]:
    """A world, and a range of it whose edges are where events crowd."""
    world = draw(worlds())
    start = draw(generated.moments(world[0]))
    other = draw(generated.moments(world[0]))
    first, last = sorted((start, other))
    return world, first, last + timedelta(microseconds=1)


@FEW
@given(ranges())
def test_every_board_of_a_range_equals_the_naive_one(
    drawn: tuple[World, datetime, datetime],
) -> None:
    (_, signals, rules, roster), start, end = drawn
    window = Windows.of_range(to_microseconds(start), to_microseconds(end))
    evaluation = Evaluation(Timeline.of(columns(signals)), roster, rule_set(rules), window)
    for family in evaluation.families():
        for scope, scope_id in enumerate(family.scope_ids.tolist()):
            covered = in_scope(signals, roster, family.scope_type, scope_id)
            inside = naive.span(covered, start, end)
            expected = naive_board(inside, rules, roster, family.entity_type)
            assert_rows_equal(family, family.board(scope, 0), expected)


def boards(family: BoardFamily) -> list[object]:
    names = ("board_start", "entity_id", "rank", "score_e4", "breakdown_e4", "counts")
    return [getattr(family, name).tolist() for name in names]


@FEW
@given(worlds(), st.sampled_from(TimePeriod))
def test_a_range_that_is_a_periods_window_gives_the_periods_boards(
    world: World, period: TimePeriod
) -> None:
    as_of, signals, rules, roster = world
    timeline, as_of_us = Timeline.of(columns(signals)), to_microseconds(as_of)
    whole = Windows.of_periods(as_of_us, [period])
    ranged = Windows.of_range(whole.starts[0], as_of_us + 1)
    periods, ranges_ = (
        Evaluation(timeline, roster, rule_set(rules), each).families() for each in (whole, ranged)
    )
    for one, other in zip(periods, ranges_, strict=True):
        assert boards(one) == boards(other)


@FEW
@given(worlds())
def test_what_is_withheld_and_what_members_bring_equal_the_naive_ledger(world: World) -> None:
    as_of, signals, rules, roster = world
    held = columns(signals)
    window = Windows.of_periods(to_microseconds(as_of), [TimePeriod.ALL_TIME])
    evaluation = Evaluation(Timeline.of(held), roster, rule_set(rules), window)
    for family in evaluation.families():
        for scope, scope_id in enumerate(family.scope_ids.tolist()):
            covered = in_scope(signals, roster, family.scope_type, scope_id)
            inside = naive.window(covered, "all_time", as_of)
            results = naive_board(inside, rules, roster, family.entity_type)
            people = naive.evaluate(inside, rules, roster.bots, mode="contributor")
            for entity in family.entity_id[family.board(scope, 0)].tolist():
                told = explain(evaluation, family.scope_type, scope_id, family.entity_type, entity)
                assert told is not None
                lines = lines_of(told.ledger, evaluation.timeline, held, evaluation.rules)
                assert lines.points_e4().sum() == e4(results[entity].score)
                if family.entity_type is EntityType.TEAM:
                    (team,) = (each for each in roster.teams if each.id == entity)
                    listed = {each: people[each] for each in team.members if each in people}
                    expected = [line for each in listed.values() for line in each.ledger]
                    shares = {each.user_id: each.score_e4 for each in member_scores(lines)}
                    assert shares == {user: e4(each.score) for user, each in listed.items()}
                else:
                    expected = results[entity].ledger
                assert reasons(expected) == {
                    each.outcome: (each.signal_count, each.withheld_e4)
                    for each in withheld_by_outcome(lines)
                }


def reasons(lines: list[NaiveLine]) -> dict[Outcome, tuple[int, int]]:
    found: dict[Outcome, tuple[int, int]] = {}
    for line in lines:
        outcome, kept = Outcome[line.outcome.upper()], e4(line.withheld)
        if outcome is not Outcome.EARNED or kept:
            count, total = found.get(outcome, (0, 0))
            found[outcome] = count + 1, total + kept
    return found


@FEW
@given(worlds(), st.sets(st.sampled_from(Outcome)))
def test_filters_part_a_ledger_without_losing_or_adding_a_line(
    world: World, outcomes: set[Outcome]
) -> None:
    as_of, signals, rules, roster = world
    held = columns(signals)
    window = Windows.of_periods(to_microseconds(as_of), [TimePeriod.ALL_TIME])
    evaluation = Evaluation(Timeline.of(held), roster, rule_set(rules), window)
    scope, kind = next(iter(evaluation.families())).scope_type, EntityType.CONTRIBUTOR
    for user in {each.user_id for each in signals}:
        told = explain(evaluation, scope, roster.organization_id, kind, user)
        if told is None:
            continue
        lines = lines_of(told.ledger, evaluation.timeline, held, evaluation.rules)
        rest = set(Outcome) - outcomes
        parts = [lines.passing(each) for each in (outcomes, rest) if each]
        assert sum(map(len, parts)) == len(lines)
        assert sum(int(each.points_e4().sum()) for each in parts) == told.ledger.total_e4()
        assert all(
            np.isin(part.steps[:, kernel.OUTCOME], list(chosen)).all()
            for part, chosen in zip(parts, [each for each in (outcomes, rest) if each], strict=True)
        )
