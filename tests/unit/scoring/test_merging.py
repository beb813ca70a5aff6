"""Columns that are brought up to date equal those that are read anew, and so do their boards."""

from dataclasses import fields
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laurel_scoring.domain.columns import Signals
from laurel_scoring.domain.digests import board_digests, board_names
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.merging import Pairs, SignalChanges, in_order, merged, no_later, up_to
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.results import BoardFamily
from laurel_scoring.domain.roster import Roster
from laurel_scoring.domain.timeline import Timeline
from laurel_scoring.domain.touched import Scopes, crossed, scopes_of
from laurel_scoring.domain.vocabulary import EntityType, ScopeType, TimePeriod
from tests.support import naive_scoring as naive
from tests.support import scoring_strategies as generated
from tests.support.naive_scoring import NaiveRules, NaiveSignal
from tests.support.scoring_builders import AS_OF, NAIVE_DEFAULT_RULES, columns, rule_set
from tests.unit.scoring.test_engine_against_naive import (
    assert_rows_equal,
    in_scope,
    naive_board,
)

THOROUGH = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def key(signal: NaiveSignal) -> tuple[str, int]:
    return signal.content_hash, signal.user_id if signal.type == "commit" else 0


@st.composite
def histories(draw: st.DrawFn) -> list[dict[tuple[str, int], NaiveSignal]]:
    """What there is at two to four moments: signals come, go, and are corrected."""
    pool = draw(generated.signals(AS_OF))
    # Signals with keys of their own, as ingest has them.
    states: list[dict[tuple[str, int], NaiveSignal]] = []
    for _ in range(draw(st.integers(2, 4))):
        state = dict(states[-1]) if states else {}
        for _ in range(draw(st.integers(0, 6))):
            comes = draw(st.booleans())
            if pool and comes:
                signal = draw(st.sampled_from(pool))
                state[key(signal)] = signal
            elif state:
                del state[draw(st.sampled_from(sorted(state)))]
        states.append(state)
    return states


def changes_between(
    before: dict[tuple[str, int], NaiveSignal],
    after: dict[tuple[str, int], NaiveSignal],
    also: list[NaiveSignal],
) -> SignalChanges:
    """`also`: signals that did not change and are sent all the same."""
    written = {k: v for k, v in after.items() if before.get(k) != v}
    written |= {key(each): each for each in also}
    gone = sorted(before.keys() - after.keys())
    return SignalChanges(
        columns(list(written.values())),
        np.frombuffer(b"".join(bytes.fromhex(h) for h, _ in gone), np.uint8).reshape(-1, 32),
        np.array([user for _, user in gone], dtype=np.int64),
    )


def assert_equal(one: Signals, other: Signals) -> None:
    for each in fields(Signals):
        assert np.array_equal(getattr(one, each.name), getattr(other, each.name)), each.name


@THOROUGH
@given(histories(), st.data())
def test_changes_make_the_columns_that_a_new_reading_makes(
    states: list[dict[tuple[str, int], NaiveSignal]], data: st.DataObject
) -> None:
    known = in_order(columns(list(states[0].values())))
    for before, after in pairwise(states):
        again = data.draw(st.lists(st.sampled_from(sorted(after)), max_size=2)) if after else []
        changes = changes_between(before, after, [after[each] for each in again])
        known, touched = merged(known, changes)
        anew = in_order(columns(list(after.values())))
        assert_equal(known, anew)
        pairs = set(zip(touched.users.tolist(), touched.repositories.tolist(), strict=True))
        for one, other in ((before, after), (after, before)):
            for each, signal in one.items():
                if other.get(each) != signal:
                    assert (signal.user_id, signal.repository_id) in pairs
        last = to_microseconds(AS_OF)
        until = [each for each in after.values() if each.event_timestamp <= AS_OF]
        assert_equal(up_to(known, last), in_order(columns(until)))
        unordered = no_later(columns(list(after.values())), last)
        assert_equal(in_order(unordered), in_order(columns(until)))


def boards(
    signals: Signals, roster: Roster, rules: NaiveRules, as_of: datetime, only: Scopes | None = None
) -> dict[tuple[int, ...], bytes]:
    """The digests of all boards, or of those of some scopes, by name."""
    windows = Windows.of_periods(to_microseconds(as_of))
    wanted = up_to(signals, windows.last)
    evaluation = Evaluation(Timeline.of(wanted), roster, rule_set(rules), windows, only)
    return {
        name: digest
        for family in evaluation.families()
        for name, digest in zip(
            board_names(family, windows.periods), board_digests(family, ""), strict=True
        )
    }


@THOROUGH
@given(
    histories(),
    generated.rosters(),
    generated.rules(),
    st.lists(
        st.one_of(
            st.timedeltas(timedelta(microseconds=1), timedelta(days=2)),
            st.sampled_from([timedelta(days=7), timedelta(hours=9)]),
        ),
        min_size=4,
        max_size=4,
    ),
)
def test_the_touched_scopes_are_all_whose_boards_are_others(
    states: list[dict[tuple[str, int], NaiveSignal]],
    roster: Roster,
    rules: NaiveRules,
    steps: list[timedelta],
) -> None:
    as_of = AS_OF - timedelta(days=1)
    known = in_order(columns(list(states[0].values())))
    published = boards(known, roster, rules, as_of)
    for before, after, step in zip(states, states[1:], steps, strict=False):
        known, touched = merged(known, changes_between(before, after, []))
        then = Windows.of_periods(to_microseconds(as_of))
        as_of += step
        now = Windows.of_periods(to_microseconds(as_of))
        wanted = up_to(known, now.last)
        scopes = scopes_of(touched.with_others(crossed(wanted, then, now)), roster)
        published |= boards(known, roster, rules, as_of, scopes)
        anew = in_order(columns(list(after.values())))
        assert published == boards(anew, roster, rules, as_of)


@settings(THOROUGH, max_examples=80)
@given(
    histories(),
    st.lists(generated.rosters(), min_size=2, max_size=2),
    generated.rules(),
    st.lists(
        st.tuples(
            st.sampled_from([False, False, False, True]),
            st.one_of(
                st.just(timedelta(microseconds=1)),
                st.timedeltas(timedelta(0), timedelta(hours=12)),
                st.timedeltas(timedelta(0), timedelta(days=9)),
            ),
        ),
        min_size=4,
    ),
)
def test_boards_of_any_sequence_of_small_runs_equal_the_naive_ones(
    states: list[dict[tuple[str, int], NaiveSignal]],
    rosters: list[Roster],
    rules: NaiveRules,
    steps: list[tuple[bool, timedelta]],
) -> None:
    # Most signals are still to come then.
    as_of, roster, known = AS_OF - timedelta(days=3), rosters[0], in_order(columns([]))
    before: dict[tuple[str, int], NaiveSignal] = {}
    kept: dict[tuple[ScopeType, int, EntityType, TimePeriod], BoardFamily] = {}
    for state, (moves, step) in zip(states, steps, strict=False):
        known, touched = merged(known, changes_between(before, state, []))
        then = Windows.of_periods(to_microseconds(as_of))
        as_of += step
        now = Windows.of_periods(to_microseconds(as_of))
        wanted = up_to(known, now.last)
        only: Scopes | None = scopes_of(touched.with_others(crossed(wanted, then, now)), roster)
        if moves or not kept:
            # Another roster leaves nothing that would hold for certain.
            roster, only = rosters[moves], None
            kept.clear()
        evaluation = Evaluation(Timeline.of(wanted), roster, rule_set(rules), now, only)
        for family in evaluation.families():
            for number, name in enumerate(board_names(family, now.periods)):
                kept[name] = family.alone(*divmod(number, family.windows))
        assert len(kept) == evaluation.board_count()
        for (scope_type, scope_id, entity_type, period), board in kept.items():
            covered = in_scope(list(state.values()), roster, scope_type, scope_id)
            inside = naive.window(covered, period.name.lower(), as_of)
            expected = naive_board(inside, rules, roster, entity_type)
            assert_rows_equal(board, slice(0, len(board.rank)), expected)
        before = state


def test_nothing_touched_is_nothing_to_evaluate() -> None:
    roster = Roster(1, frozenset({10}))
    scopes = scopes_of(Pairs.none(), roster)
    assert not boards(in_order(columns([])), roster, NAIVE_DEFAULT_RULES, AS_OF, scopes)
