"""What callers see of an installation, by who they are."""

import pytest

from laurel_common import surroundings
from laurel_common.auth import Access, Principal, PrincipalKind
from laurel_common.surroundings import Surroundings, current_access

USER = Principal(PrincipalKind.USER, "ada", user_id=7)
MEMBER = Access(hidden_repositories=frozenset({2}), hidden_teams=frozenset({20}))
OUTSIDE = Access(readable_repositories=frozenset({1}))


@pytest.mark.parametrize(
    ("access", "repositories", "teams"),
    [
        pytest.param(Access.full(), {1, 2}, {10, 20}, id="everything"),
        pytest.param(MEMBER, {1}, {10}, id="a member, but for what is hidden"),
        pytest.param(OUTSIDE, {1}, set(), id="an outside collaborator: readable repositories"),
        pytest.param(Access.none(), set(), set(), id="nothing"),
    ],
)
def test_what_is_seen(access: Access, repositories: set[int], teams: set[int]) -> None:
    assert {each for each in (1, 2) if access.sees_repository(each)} == repositories
    assert {each for each in (10, 20) if access.sees_team(each)} == teams
    assert access.is_member == (access in (Access.full(), MEMBER))
    assert access.is_full == (access == Access.full())


@pytest.mark.parametrize("kind", [each for each in PrincipalKind if each != "user"])
def test_keys_see_everything(kind: PrincipalKind) -> None:
    token = surroundings.enter(Surroundings(principal=Principal(kind, "key")))
    try:
        assert current_access() == Access.full()
    finally:
        surroundings.leave(token)


def test_a_user_sees_nothing_but_what_was_found_out_for_the_call() -> None:
    token = surroundings.enter(Surroundings(principal=USER))
    try:
        assert current_access() == Access.none()
        surroundings.current().access = MEMBER
        assert current_access() == MEMBER
    finally:
        surroundings.leave(token)


def test_work_that_no_call_asked_for_sees_everything() -> None:
    assert current_access() == Access.full()
