"""What publishing makes of results, how long versions live, when boards are stale."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_leaderboard.domain.boards import (
    BoardAddress,
    BoardKey,
    EntityType,
    Preset,
    ScopeType,
    TimePeriod,
)
from laurel_leaderboard.domain.errors import NewerVersionExists
from laurel_leaderboard.domain.freshness import AGE_LIMITS, Marks, is_stale
from laurel_leaderboard.domain.versions import (
    Current,
    NewBoard,
    Plan,
    Published,
    RetentionState,
    Version,
    plan_group,
    published_versions,
    settled_marks,
)
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    NOON,
    ORGANIZATION,
    PRESET,
    header_of,
)

INSTANT = timedelta(microseconds=1)


def board(period: TimePeriod, digest: bytes = b"new") -> NewBoard:
    return NewBoard(CONTRIBUTORS._replace(time_period=period), 1, 1, digest)


def version(state: RetentionState, **changes: object) -> Version:
    values: dict[str, object] = {
        "id": 1,
        "preset": Preset(INSTALLATION, PRESET, ORGANIZATION),
        "board": CONTRIBUTORS,
        "number": 1,
        "row_count": 0,
        "signal_count": 0,
        "state": state,
        "computed_at": NOON,
        "as_of": NOON,
        "checked_at": NOON,
    }
    return Version(**values | changes)  # type: ignore[arg-type]  # built from a table


def test_a_group_of_new_changed_and_equal_boards_is_planned() -> None:
    new, changed, equal = (board(p) for p in list(TimePeriod)[:3])
    current = {
        changed.key: Current(11, 4, NOON - INSTANT, b"old"),
        equal.key: Current(12, 9, NOON - INSTANT, b"new"),
    }
    assert plan_group((new, changed, equal), current, NOON) == Plan(
        fresh=(0, 1), numbers=(1, 5), superseded=(11,), unchanged=(12,)
    )


@pytest.mark.parametrize("digest", [b"new", b"old"], ids=["equal rows", "other rows"])
@pytest.mark.parametrize("age", [timedelta(0), INSTANT], ids=["as new", "newer"])
def test_one_board_that_is_as_new_refuses_the_group(digest: bytes, age: timedelta) -> None:
    first, second = board(TimePeriod.TODAY), board(TimePeriod.WEEK)
    current = {second.key: Current(11, 4, NOON + age, digest)}
    with pytest.raises(NewerVersionExists) as failed:
        plan_group((first, second), current, NOON)
    assert failed.value.metadata == {"materialization_id": "11"}


def test_published_versions_are_the_plans_fresh_boards() -> None:
    boards = [board(TimePeriod.TODAY), board(TimePeriod.WEEK)]
    done = Published(Plan((1,), (3,), (), (5,)), (77,))
    [made] = published_versions(header_of(), boards, done, NOON + INSTANT)
    assert (made.id, made.number, made.board) == (77, 3, boards[1].key)
    assert (made.state, made.as_of, made.checked_at) == (
        RetentionState.CURRENT,
        NOON,
        NOON + INSTANT,
    )


@pytest.mark.parametrize(
    ("state", "expires", "readable"),
    [
        (RetentionState.CURRENT, None, True),
        (RetentionState.SUPERSEDED, NOON + INSTANT, True),
        (RetentionState.SUPERSEDED, NOON, False),
        (RetentionState.EXPIRED, NOON + INSTANT, False),
        (RetentionState.PURGED, NOON + INSTANT, False),
    ],
)
def test_a_version_is_readable_until_it_expires(
    state: RetentionState, expires: object, readable: bool
) -> None:
    assert version(state, expires_at=expires).is_readable(NOON) is readable


@pytest.mark.parametrize(
    ("period", "limit"),
    [
        (TimePeriod.TODAY, timedelta(minutes=10)),
        (TimePeriod.WEEK, timedelta(hours=1)),
        (TimePeriod.MONTH, timedelta(hours=6)),
        (TimePeriod.QUARTER, timedelta(hours=12)),
        (TimePeriod.HALF_YEAR, timedelta(hours=24)),
        (TimePeriod.ALL_TIME, timedelta(hours=24)),
    ],
)
def test_a_board_is_stale_once_it_went_unchecked_for_longer_than_its_window_allows(
    period: TimePeriod, limit: timedelta
) -> None:
    assert not is_stale(period, NOON, NOON + limit)
    assert is_stale(period, NOON, NOON + limit + INSTANT)
    current = version(RetentionState.CURRENT, board=CONTRIBUTORS._replace(time_period=period))
    assert current.fresh_until() == NOON + limit


def test_every_period_has_its_limit() -> None:
    assert set(AGE_LIMITS) == set(TimePeriod)


def test_a_replaced_version_is_never_fresh() -> None:
    assert version(RetentionState.SUPERSEDED).fresh_until() is None


@pytest.mark.parametrize(
    ("scope", "scope_id", "key"),
    [
        (ScopeType.ORGANIZATION, 0, ORGANIZATION),
        (ScopeType.ORGANIZATION, ORGANIZATION, ORGANIZATION),
        (ScopeType.ORGANIZATION, ORGANIZATION + 1, None),
        (ScopeType.TEAM, 801, 801),
        (ScopeType.REPOSITORY, 901, 901),
    ],
)
def test_an_address_leads_to_a_board_of_the_preset(
    scope: ScopeType, scope_id: int, key: int | None
) -> None:
    address = BoardAddress(
        INSTALLATION, 0, scope, scope_id, EntityType.CONTRIBUTOR, TimePeriod.WEEK
    )
    found = Preset(INSTALLATION, PRESET, ORGANIZATION).key_of(address)
    wanted = BoardKey(scope, key, EntityType.CONTRIBUTOR, TimePeriod.WEEK) if key else None
    assert found == wanted


@given(st.integers(), st.integers())
def test_two_addresses_have_two_texts(one: int, other: int) -> None:
    def text(number: int) -> str:
        return BoardAddress(number, 0, *CONTRIBUTORS).text()

    assert (text(one) == text(other)) == (one == other)


@given(st.integers(0, 5), st.integers(0, 5))
def test_a_current_version_is_stale_while_a_mark_is_above_what_it_settled(
    marked: int, settled: int
) -> None:
    found = version(RetentionState.CURRENT, stale_mark=marked, settled_mark=settled)
    assert found.is_marked == (marked > settled)
    assert (found.fresh_until() is None) == (marked > settled)


@pytest.mark.parametrize(
    ("named", "before", "expected"),
    [(0, None, 0), (4, None, 4), (0, 3, 3), (4, 3, 4), (2, 3, 3)],
)
def test_a_version_settles_what_its_publish_names_and_its_predecessor_had_settled(
    named: int, before: int | None, expected: int
) -> None:
    unchanged, changed = board(TimePeriod.TODAY), board(TimePeriod.WEEK)
    current = {unchanged.key: Current(11, 1, NOON - INSTANT, b"new", 9)}
    if before is not None:
        current[changed.key] = Current(12, 1, NOON - INSTANT, b"old", before)
    boards = (unchanged, changed)
    plan = plan_group(boards, current, NOON)
    assert settled_marks(boards, plan, current, named) == [expected]


def test_the_higher_of_the_marks_on_all_boards_and_on_one_counts() -> None:
    marks = Marks(3, {CONTRIBUTORS: 2})
    assert marks.on(CONTRIBUTORS) == 3
    marks = Marks(3, {CONTRIBUTORS: 4})
    assert marks.on(CONTRIBUTORS) == 4
    assert marks.on(CONTRIBUTORS._replace(time_period=TimePeriod.WEEK)) == 3
