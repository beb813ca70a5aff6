"""The engine equals the naive implementation over generated inputs, boards and ledgers alike."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laurel_scoring.domain import kernel
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.explanation import explain
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.results import BoardFamily
from laurel_scoring.domain.roster import Roster
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
from tests.support import scoring_strategies as generated
from tests.support.naive_scoring import NaiveResult, NaiveRules, NaiveSignal
from tests.support.scoring_builders import columns, e4, rule_set

# Each example is some hundred boards (every scope, entity and period of an installation): tens of
# thousands of them in a run.
THOROUGH = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
QUICK = settings(THOROUGH, max_examples=150)


@st.composite
def worlds(
    draw: st.DrawFn,
) -> tuple[datetime, list[NaiveSignal], NaiveRules, Roster]:
    as_of = draw(st.sampled_from(generated.MOMENTS))
    return (
        as_of,
        draw(generated.signals(as_of)),
        draw(generated.rules()),
        draw(generated.rosters()),
    )


def in_scope(
    signals: Sequence[NaiveSignal], roster: Roster, scope_type: ScopeType, scope_id: int
) -> list[NaiveSignal]:
    seen = [each for each in signals if each.repository_id in roster.repositories]
    if scope_type is ScopeType.REPOSITORY:
        return [each for each in seen if each.repository_id == scope_id]
    if scope_type is ScopeType.TEAM:
        (team,) = (each for each in roster.teams if each.id == scope_id)
        places = team.repositories or roster.repositories
        return [
            each for each in seen if each.user_id in team.members and each.repository_id in places
        ]
    return seen


def naive_board(
    signals: Sequence[NaiveSignal], rules: NaiveRules, roster: Roster, entity_type: EntityType
) -> Mapping[int, NaiveResult]:
    mode = "repository" if entity_type is EntityType.REPOSITORY else "contributor"
    results = naive.evaluate(signals, rules, roster.bots, mode=mode)
    if entity_type is EntityType.TEAM:
        results = naive.sum_teams(results, {team.id: team.members for team in roster.teams})
    return dict(naive.rank(results))


def assert_rows_equal(
    family: BoardFamily, rows: slice, expected: Mapping[int, NaiveResult]
) -> None:
    assert family.entity_id[rows].tolist() == list(expected)
    for row, result in zip(range(rows.start, rows.stop), expected.values(), strict=True):
        assert family.rank[row] == result.rank
        assert family.score_e4[row] == e4(result.score)
        for part in Category:
            assert family.breakdown_e4[row, part] == e4(result.breakdown[part.name.lower()])
        for kind in SignalType:
            assert family.counts[row, kind] == result.counts.get(kind.name.lower(), 0)
        assert family.additions[row] == result.additions
        assert family.deletions[row] == result.deletions
        if family.member_count is not None:
            assert family.member_count[row] == result.member_count


@THOROUGH
@given(worlds())
def test_every_board_of_an_installation_equals_the_naive_one(
    world: tuple[datetime, list[NaiveSignal], NaiveRules, Roster],
) -> None:
    as_of, signals, rules, roster = world
    windows = Windows.of_periods(to_microseconds(as_of))
    evaluation = Evaluation(Timeline.of(columns(signals)), roster, rule_set(rules), windows)
    for family in evaluation.families():
        for scope, scope_id in enumerate(family.scope_ids.tolist()):
            covered = in_scope(signals, roster, family.scope_type, scope_id)
            for number, period in enumerate(windows.periods):
                inside = naive.window(covered, period.name.lower(), as_of)
                expected = naive_board(inside, rules, roster, family.entity_type)
                assert_rows_equal(family, family.board(scope, number), expected)


@THOROUGH
@given(worlds(), st.sampled_from(TimePeriod))
def test_every_ledger_equals_the_naive_one_and_sums_to_the_board(
    world: tuple[datetime, list[NaiveSignal], NaiveRules, Roster], period: TimePeriod
) -> None:
    as_of, signals, rules, roster = world
    window = Windows.of_periods(to_microseconds(as_of), [period])
    evaluation = Evaluation(Timeline.of(columns(signals)), roster, rule_set(rules), window)
    for family in evaluation.families():
        for scope, scope_id in enumerate(family.scope_ids.tolist()):
            covered = in_scope(signals, roster, family.scope_type, scope_id)
            inside = naive.window(covered, period.name.lower(), as_of)
            mode = "contributor"
            if family.entity_type is EntityType.REPOSITORY:
                mode = "repository"
            results = naive.evaluate(inside, rules, roster.bots, mode=mode)
            for row in range(*family.board(scope, 0).indices(len(family.rank))):
                entity = int(family.entity_id[row])
                told = explain(evaluation, family.scope_type, scope_id, family.entity_type, entity)
                assert told is not None
                assert told.ledger.total_e4() == family.score_e4[row]
                if family.entity_type is EntityType.TEAM:
                    (team,) = (each for each in roster.teams if each.id == entity)
                    judged = [each for each in sorted(team.members) if each in results]
                else:
                    judged = [entity]
                expected = [line for each in judged for line in results[each].ledger]
                assert [
                    (
                        int(evaluation.timeline.users[evaluation.timeline.user[position]]),
                        Outcome(int(line[kernel.OUTCOME])).name.lower(),
                        int(line[kernel.POINTS]),
                        int(line[kernel.PENALTY]),
                        int(line[kernel.BASE]),
                        int(line[kernel.IN_DAY]),
                        int(line[kernel.IN_WEEK]),
                    )
                    for position, line in zip(told.ledger.position, told.ledger.lines, strict=True)
                ] == [
                    (
                        line.signal.user_id,
                        line.outcome,
                        e4(line.points),
                        e4(line.penalty),
                        e4(line.base),
                        line.day_position,
                        line.week_position,
                    )
                    for line in expected
                ]


@QUICK
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_in_which_signals_arrive_changes_nothing(
    world: tuple[datetime, list[NaiveSignal], NaiveRules, Roster], random: Random
) -> None:
    as_of, signals, rules, roster = world
    shuffled = list(signals)
    random.shuffle(shuffled)
    windows = Windows.of_periods(to_microseconds(as_of))
    boards = [
        list(Evaluation(Timeline.of(columns(each)), roster, rule_set(rules), windows).families())
        for each in (signals, shuffled)
    ]
    for one, other in zip(*boards, strict=True):
        assert one.entity_id.tolist() == other.entity_id.tolist()
        assert one.score_e4.tolist() == other.score_e4.tolist()
        assert one.breakdown_e4.tolist() == other.breakdown_e4.tolist()
