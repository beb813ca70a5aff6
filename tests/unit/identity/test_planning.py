"""What an observation changes: names, staleness, and what is not told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_identity.domain.entities import Relation, Repository, Team, User
from laurel_identity.domain.names import folded, is_tombstone, tombstone
from laurel_identity.domain.planning import (
    Plan,
    Stored,
    StoredRelation,
    plan_relations,
    plan_upsert,
)

NOW = datetime(2026, 1, 15, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(days=1), NOW + timedelta(days=1)
SYNTHETIC = -(2**62) - 7


def user(user_id: int, login: str, **changes: object) -> User:
    return User(user_id, login, **changes)  # type: ignore[arg-type]  # a builder


def carried_out(stored: Sequence[Stored[User]], plan: Plan[User]) -> dict[int, User]:
    """The rows after a plan, each write checked as the unique index would."""
    rows = {row.entity.id: row.entity for row in stored}

    def put(entity: User) -> None:
        rows[entity.id] = entity
        names = [folded(each.login) for each in rows.values()]
        assert len(names) == len(set(names)), f"two rows named {entity.login}"

    for change in plan.vacate:
        assert rows[change.old.id] == change.old
        put(change.new)
    # One statement: checked when it is done, but the index is checked row by row.
    for change in plan.rename:
        put(change.new)
    for entity in plan.insert:
        assert entity.id not in rows
        put(entity)
    for entity in plan.revise:
        assert rows[entity.id].login == entity.login
        put(entity)
    return rows


def upserted(stored: Sequence[Stored[User]], *news: User, at: datetime = NOW) -> dict[int, str]:
    """Logins by id after news."""
    rows = carried_out(stored, plan_upsert(stored, news, at))
    return {entity.id: entity.login for entity in rows.values()}


def test_what_is_new_is_inserted() -> None:
    plan = plan_upsert([], [user(1, "ada")], NOW)
    assert plan == Plan(insert=(user(1, "ada"),), observed=(1,))


def test_what_says_the_same_is_only_noted_as_seen() -> None:
    stored = [Stored(user(1, "ada"), BEFORE)]
    assert plan_upsert(stored, [user(1, "ada")], NOW) == Plan(observed=(1,))


def test_what_was_seen_at_that_moment_already_is_not_noted_again() -> None:
    assert plan_upsert([Stored(user(1, "ada"), NOW)], [user(1, "ada")], NOW) == Plan()


def test_a_rename_changes_one_row() -> None:
    plan = plan_upsert([Stored(user(1, "ada"), BEFORE)], [user(1, "countess")], NOW)
    assert [(change.old.login, change.new.login) for change in plan.rename] == [("ada", "countess")]
    assert [plan.vacate, plan.insert, plan.revise] == [(), (), ()]


def test_another_column_does_not_touch_the_name() -> None:
    plan = plan_upsert([Stored(user(1, "ada"), BEFORE)], [user(1, "ada", name="Ada")], NOW)
    assert plan.revise == (user(1, "ada", name="Ada"),)
    assert [plan.rename, plan.vacate] == [(), ()]


def test_an_older_observation_changes_nothing() -> None:
    stored = [Stored(user(1, "countess"), NOW)]
    assert plan_upsert(stored, [user(1, "ada", name="Ada", is_bot=True)], BEFORE) == Plan()


def test_what_was_never_observed_takes_any_news() -> None:
    assert upserted([Stored(user(1, "ada"), None)], user(1, "b"), at=BEFORE) == {1: "b"}


def test_the_holder_of_a_taken_name_gets_a_tombstone() -> None:
    stored = [Stored(user(1, "ada"), BEFORE)]
    assert upserted(stored, user(2, "ada")) == {1: "~1", 2: "ada"}


def test_spellings_of_one_name_do_not_stand_side_by_side() -> None:
    stored = [Stored(user(1, "Ada"), BEFORE)]
    assert upserted(stored, user(2, "aDA")) == {1: "~1", 2: "aDA"}


def test_a_change_of_case_is_a_rename_of_ones_own() -> None:
    assert upserted([Stored(user(1, "Ada"), BEFORE)], user(1, "ada")) == {1: "ada"}


def test_a_name_is_not_taken_from_who_was_seen_with_it_later() -> None:
    stored = [Stored(user(1, "ada"), AFTER)]
    assert upserted(stored, user(2, "ada")) == {1: "ada", 2: "~2"}


def test_names_can_be_swapped() -> None:
    stored = [Stored(user(1, "a"), BEFORE), Stored(user(2, "b"), BEFORE)]
    assert upserted(stored, user(1, "b"), user(2, "a")) == {1: "b", 2: "a"}


def test_names_can_move_along_a_chain() -> None:
    stored = [Stored(user(n, f"n{n}"), BEFORE) for n in range(1, 5)]
    news = [user(n, f"n{n + 1}") for n in range(1, 5)]
    assert upserted(stored, *news) == {1: "n2", 2: "n3", 3: "n4", 4: "n5"}


def test_of_two_in_one_batch_the_last_mentioned_has_the_name() -> None:
    assert upserted([], user(1, "ada"), user(2, "ADA")) == {1: "~1", 2: "ADA"}


def test_a_tombstone_goes_when_the_new_name_is_told() -> None:
    stored = [Stored(user(1, "~1"), BEFORE), Stored(user(2, "ada"), BEFORE)]
    assert upserted(stored, user(1, "countess")) == {1: "countess", 2: "ada"}


@pytest.mark.parametrize("at", [BEFORE, AFTER])
def test_a_synthetic_user_never_takes_a_name_from_a_numbered_one(at: datetime) -> None:
    stored = [Stored(user(1, "ada"), NOW)]
    assert upserted(stored, user(SYNTHETIC, "ada"), at=at)[1] == "ada"


@pytest.mark.parametrize("at", [BEFORE, AFTER])
def test_a_numbered_user_takes_its_name_from_a_synthetic_one(at: datetime) -> None:
    stored = [Stored(user(SYNTHETIC, "ada"), NOW)]
    expected = {1: "ada", SYNTHETIC: tombstone(SYNTHETIC)}
    assert upserted(stored, user(1, "ada"), at=at) == expected
    news = (user(1, "ada"), user(SYNTHETIC, "ada"))
    assert upserted([], *news, at=at) == expected


def test_mentions_of_one_user_add_up() -> None:
    plan = plan_upsert([], [user(1, "a", name="Ada"), user(1, "b", is_bot=True)], NOW)
    assert plan.insert == (user(1, "b", name="Ada", is_bot=True),)


def test_who_is_known_to_be_a_bot_stays_one() -> None:
    stored = [Stored(user(1, "b", is_bot=True), BEFORE)]
    assert plan_upsert(stored, [user(1, "b")], NOW) == Plan(observed=(1,))


def test_what_a_source_does_not_tell_of_a_repository_is_kept() -> None:
    known = Repository(1, "acme/api", 10, True, True, True, "main", "https://x", NOW)
    told = known.absorb(Repository(1, "acme/api2"))
    assert told == Repository(1, "acme/api2", 10, True, True, True, "main", "https://x", NOW)


def test_a_repository_of_another_owner_is_no_longer_of_the_former_account() -> None:
    known = Repository(1, "acme/api", 10)
    assert known.absorb(Repository(1, "globex/api")).organization_id is None
    assert known.absorb(Repository(1, "globex/api", 20)).organization_id == 20
    assert known.absorb(Repository(1, "ACME/web")).organization_id == 10


def test_a_repository_keeps_its_owner_under_a_tombstone() -> None:
    assert Repository(7, "acme/api").tombstoned().full_name == "acme/~7"


def test_team_slugs_are_unique_within_their_organization_only() -> None:
    stored = [Stored(Team(1, 10, "core", "Core"), BEFORE)]
    plan = plan_upsert(stored, [Team(2, 10, "CORE", "New"), Team(3, 11, "core", "Other")], NOW)
    assert [change.new.slug for change in plan.vacate] == ["~1"]
    assert {team.slug for team in plan.insert} == {"CORE", "core"}


@pytest.mark.parametrize(
    ("seen", "at", "revised"),
    [
        pytest.param(BEFORE, NOW, True, id="newer"),
        pytest.param(NOW, NOW, True, id="as new"),
        pytest.param(AFTER, NOW, False, id="older"),
        pytest.param(None, BEFORE, True, id="never observed"),
    ],
)
def test_a_role_is_changed_by_news_that_is_as_new(
    seen: datetime | None, at: datetime, revised: bool
) -> None:
    stored = [StoredRelation(Relation(1, 2, "member"), seen)]
    plan = plan_relations(stored, [Relation(1, 2, "admin")], at)
    assert plan.revise == ((Relation(1, 2, "admin"),) if revised else ())


def test_of_a_relation_named_twice_the_last_stands() -> None:
    plan = plan_relations([], [Relation(1, 2, "member"), Relation(1, 2, "maintainer")], NOW)
    assert plan.insert == (Relation(1, 2, "maintainer"),)


users = st.builds(
    User,
    st.one_of(st.integers(1, 6), st.integers(SYNTHETIC - 2, SYNTHETIC)),
    st.sampled_from(["a", "A", "b", "B", "c", "d"]),
    st.one_of(st.none(), st.sampled_from(["x", "y"])),
    st.sampled_from(["", "u"]),
    st.booleans(),
)
batches = st.lists(
    st.tuples(st.integers(0, 5), st.lists(users, min_size=1, max_size=6)), min_size=1, max_size=8
)


@given(batches)
def test_after_any_history_names_are_unique_and_the_latest_word_stands(
    history: list[tuple[int, list[User]]],
) -> None:
    rows: dict[int, User] = {}
    seen: dict[int, datetime] = {}
    for hours, batch in history:
        at = NOW + timedelta(hours=hours)
        stored = [Stored(row, seen.get(row.id)) for row in rows.values()]
        plan = plan_upsert(stored, batch, at)
        rows = carried_out(stored, plan)
        for user_id in plan.observed:
            assert user_id not in seen or seen[user_id] < at
            seen[user_id] = at
        for told in batch:
            # Nobody bears a name that nobody told, and nobody is lost.
            assert told.id in rows
            login = rows[told.id].login
            assert is_tombstone(login) or login in {"a", "A", "b", "B", "c", "d"}
        again = plan_upsert([Stored(row, seen.get(row.id)) for row in rows.values()], batch, at)
        assert not again.observed


@given(st.lists(users, min_size=1, max_size=8), st.lists(users, max_size=6))
def test_an_upsert_done_twice_changes_nothing_the_second_time(
    batch: list[User], before: list[User]
) -> None:
    rows = carried_out([], plan_upsert([], before, BEFORE))
    stored = [Stored(row, BEFORE) for row in rows.values()]
    rows = carried_out(stored, plan_upsert(stored, batch, NOW))
    fresh = {each.id for each in batch}
    stored = [Stored(row, NOW if row.id in fresh else BEFORE) for row in rows.values()]
    assert carried_out(stored, plan_upsert(stored, batch, NOW)) == rows


def test_news_without_a_login_leave_the_login_alone() -> None:
    stored = [Stored(user(1, "ada"), BEFORE)]
    plan = plan_upsert(stored, [user(1, "", name="Ada")], NOW)
    assert plan == Plan(revise=(user(1, "ada", name="Ada"),), observed=(1,))


def test_who_never_had_a_login_told_has_a_tombstone_until_one_is() -> None:
    assert upserted([], user(1, "")) == {1: tombstone(1)}
    assert upserted([Stored(user(1, tombstone(1)), BEFORE)], user(1, "ada")) == {1: "ada"}


@pytest.mark.parametrize("first", ["", "ada"], ids=["untold first", "told first"])
def test_one_of_two_mentions_is_enough_for_a_login(first: str) -> None:
    second = "ada" if not first else ""
    assert upserted([], user(1, first), user(1, second)) == {1: "ada"}


@pytest.mark.parametrize("last", [0, 1], ids=["taker last", "holder last"])
def test_a_login_goes_to_whom_it_is_told_of_not_to_whom_it_is_not(last: int) -> None:
    news = [user(1, "", name="Ada"), user(2, "ada")]
    stored = [Stored(user(1, "ada"), BEFORE)]
    assert upserted(stored, news[1 - last], news[last]) == {1: tombstone(1), 2: "ada"}
