"""Previews equal the naive boards of either rule set, and their effects come to the difference."""

from dataclasses import fields, replace
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.explanation import scope_position
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.preview import preview
from laurel_scoring.domain.rule_changes import steps_between
from laurel_scoring.domain.timeline import Timeline
from laurel_scoring.domain.vocabulary import ENTITIES_OF, ScopeType, TimePeriod
from tests.support import naive_scoring as naive
from tests.support import scoring_strategies as generated
from tests.support.naive_scoring import NaiveRules
from tests.support.scoring_builders import columns, rule_set
from tests.unit.scoring.test_engine_against_naive import (
    assert_rows_equal,
    in_scope,
    naive_board,
    worlds,
)
from tests.unit.scoring.test_ranges_against_naive import World

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def changed(draw: st.DrawFn, rules: NaiveRules) -> NaiveRules:
    """`rules` with some parts of others."""
    others = draw(generated.rules())
    parts = draw(st.sets(st.sampled_from([each.name for each in fields(NaiveRules)])))
    return replace(rules, **{name: getattr(others, name) for name in parts})


@settings(FEW, max_examples=12)
@given(worlds(), st.data(), st.sampled_from(TimePeriod))
def test_both_boards_equal_the_naive_ones(
    world: World, data: st.DataObject, period: TimePeriod
) -> None:
    as_of, signals, rules, roster = world
    candidate = data.draw(changed(rules))
    window = Windows.of_periods(to_microseconds(as_of), [period])
    evaluation = Evaluation(Timeline.of(columns(signals)), roster, rule_set(rules), window)
    for scope_type in ScopeType:
        for entity_type in ENTITIES_OF[scope_type]:
            for scope_id in evaluation.scope_ids(scope_type).tolist()[:2]:
                scope = scope_position(evaluation, scope_type, scope_id)
                assert scope is not None
                found = preview(evaluation, rule_set(candidate), scope_type, scope, entity_type)
                covered = in_scope(signals, roster, scope_type, scope_id)
                inside = naive.window(covered, period.name.lower(), as_of)
                for board, its in ((found.current, rules), (found.candidate, candidate)):
                    expected = naive_board(inside, its, roster, entity_type)
                    assert_rows_equal(board, slice(0, len(board.rank)), expected)
                difference = found.candidate.score_e4.sum() - found.current.score_e4.sum()
                assert sum(each.points_e4 for each in found.effects) == difference
                former, coming = found.scores()
                assert (coming - former).sum() == difference
                assert sorted(found.entity_ids().tolist()) == sorted(
                    {*found.current.entity_id.tolist(), *found.candidate.entity_id.tolist()}
                )
                assert found.entity_ids()[found.after >= 0].tolist() == (
                    found.candidate.entity_id.tolist()
                )


@FEW
@given(worlds())
def test_the_current_rules_as_candidate_move_nothing(world: World) -> None:
    as_of, signals, rules, roster = world
    window = Windows.of_periods(to_microseconds(as_of), [TimePeriod.ALL_TIME])
    evaluation = Evaluation(Timeline.of(columns(signals)), roster, rule_set(rules), window)
    for entity_type in ENTITIES_OF[ScopeType.ORGANIZATION]:
        found = preview(evaluation, rule_set(rules), ScopeType.ORGANIZATION, 0, entity_type)
        assert found.effects == []
        assert found.before.tolist() == found.after.tolist() == list(range(len(found)))
        former, coming = found.scores()
        assert former.tolist() == coming.tolist()


@settings(FEW, max_examples=60)
@given(generated.rules(), st.data())
def test_steps_change_one_rule_each_and_end_at_the_candidate(
    rules: NaiveRules, data: st.DataObject
) -> None:
    current, candidate = rule_set(rules), rule_set(data.draw(changed(rules)))
    steps = list(steps_between(current, candidate))
    names = [field for field, _ in steps]
    assert len(set(names)) == len(names)
    assert (steps[-1][1] if steps else current) == candidate
    rule_sets = [current, *(each for _, each in steps)]
    assert all(before != after for before, after in pairwise(rule_sets))
