"""What a session's user may see, by how it stands to the account."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from laurel_identity.domain.access import Grant, Standing, grant_of

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
STANDING = Standing(
    session_id="s",
    user_id=7,
    installation_id=1,
    account_id=10,
    account_login="acme",
    app_id=4711,
    owns=False,
    role=None,
    linked=False,
    readable=frozenset({1, 2}),
    read_at=NOW,
)
MEMBER = replace(STANDING, role="member")
PRIVATE, SECRET = {2, 3}, {20}
NOBODY: frozenset[int] = frozenset()


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        pytest.param(MEMBER, Grant(False, frozenset({3}), frozenset({20}), None), id="a member"),
        pytest.param(
            replace(MEMBER, role="admin"),
            Grant(True, frozenset({3}), NOBODY, None),
            id="an admin sees secret teams, and what GitHub lets it read",
        ),
        pytest.param(
            replace(STANDING, owns=True), Grant(True, NOBODY, NOBODY, None), id="the account itself"
        ),
        pytest.param(
            replace(STANDING, linked=True),
            Grant(False, NOBODY, NOBODY, frozenset({1, 2})),
            id="an outside collaborator",
        ),
        pytest.param(
            replace(MEMBER, readable=None, read_at=None),
            Grant(False, frozenset({2, 3}), frozenset({20}), None),
            id="a member of whom nothing is known yet: all that is private is hidden",
        ),
        pytest.param(
            replace(MEMBER, read_at=NOW - timedelta(hours=2)),
            Grant(False, frozenset({2, 3}), frozenset({20}), None),
            id="a member of whom GitHub could not be asked for two hours",
        ),
        pytest.param(
            replace(STANDING, linked=True, read_at=NOW - timedelta(hours=2)),
            Grant(False, NOBODY, NOBODY, NOBODY),
            id="an outside collaborator of whom GitHub could not be asked",
        ),
    ],
)
def test_a_grant(standing: Standing, expected: Grant) -> None:
    found = grant_of(standing, private_repositories=PRIVATE, foreign_secret_teams=SECRET, now=NOW)
    assert found == expected


@pytest.mark.parametrize(
    ("standing", "seen", "wants"),
    [
        pytest.param(STANDING, False, False, id="a stranger"),
        pytest.param(MEMBER, True, False, id="read just now"),
        pytest.param(
            replace(MEMBER, read_at=NOW - timedelta(hours=1)), True, True, id="read an hour ago"
        ),
        pytest.param(replace(MEMBER, readable=None, read_at=None), True, True, id="never read"),
        pytest.param(
            replace(MEMBER, app_id=0, read_at=None), True, False, id="imported: GitHub has no list"
        ),
        pytest.param(replace(STANDING, owns=True, read_at=None), True, False, id="one's own"),
    ],
)
def test_whether_github_is_to_be_asked_again(standing: Standing, seen: bool, wants: bool) -> None:
    assert (standing.is_seen, standing.wants_reading(NOW)) == (seen, wants)
