"""What webhooks of pushes say: which commits count, when, and whose they are."""

from typing import Any

import pytest

from laurel_ingest.domain.identities import synthetic_id_of_email
from laurel_ingest.domain.timestamps import epoch_seconds
from tests.support.ingest_builders import ALICE, sha
from tests.support.ingest_webhook_outcomes import outcome
from tests.support.ingest_webhooks import hook_commit, hook_push, repository

SECOND = "2021-05-03T11:00:00Z"
FORCED: dict[str, Any] = {"forced": True, "before": sha(1)}


def later(source: dict[str, Any], at: str = SECOND) -> dict[str, Any]:
    return source | {"repository": repository(pushed_at=epoch_seconds(at))}


@pytest.mark.parametrize(
    ("pushes", "seeds", "counted"),
    [
        pytest.param([hook_push(hook_commit(1), hook_commit(2))], [1, 2], {}, id="two commits"),
        pytest.param(
            [hook_push(hook_commit(1), ref="refs/heads/x")],
            [],
            {"not_default_branch": 1},
            id="another branch",
        ),
        pytest.param(
            [
                hook_push(
                    hook_commit(1), ref="refs/heads/x", repository=repository(default_branch="x")
                )
            ],
            [1],
            {},
            id="a default branch of another name",
        ),
        pytest.param(
            [
                hook_push(
                    hook_commit(1), ref="refs/heads/x", repository=repository(default_branch="x")
                ),
                later(hook_push(hook_commit(2))),
            ],
            [1, 2],
            {},
            id="a default branch that is renamed keeps its commits",
        ),
        pytest.param(
            [hook_push(hook_commit(1), ref="refs/tags/v1")], [], {"not_a_branch": 1}, id="a tag"
        ),
        pytest.param(
            [hook_push(ref="refs/heads/main", deleted=True)],
            [],
            {"branch_deleted": 1},
            id="a branch that was deleted",
        ),
        pytest.param(
            [hook_push(hook_commit(1), repository=repository(fork=True))],
            [],
            {"repository_is_fork": 1},
            id="a fork",
        ),
        pytest.param(
            [hook_push(hook_commit(1, "Merge branch 'main' into x"))],
            [],
            {"merge_commit": 1},
            id="a merge",
        ),
        pytest.param(
            [hook_push(hook_commit(1), head_commit=hook_commit(2))],
            [1, 2],
            {"push_truncated": 1},
            id="a list that ends before the new head",
        ),
        pytest.param(
            [hook_push(hook_commit(1), size=21)], [1], {"push_truncated": 1}, id="a size beyond it"
        ),
        pytest.param(
            [hook_push(commits=[], head_commit=hook_commit(3), created=True)],
            [3],
            {"push_without_commits": 1},
            id="a new branch that shows its head alone",
        ),
        pytest.param(
            [hook_push(hook_commit(1)), later(hook_push(hook_commit(2), **FORCED))],
            [2],
            {"history_rewritten": 1, "not_default_branch": 1},
            id="a forced push takes the old head away",
        ),
        pytest.param(
            [later(hook_push(hook_commit(2), **FORCED)), hook_push(hook_commit(1))],
            [2],
            {"history_rewritten": 1, "not_default_branch": 1},
            id="a forced push that is told first",
        ),
        pytest.param(
            [
                hook_push(hook_commit(1)),
                later(hook_push(hook_commit(2), **FORCED)),
                later(hook_push(hook_commit(1)), "2021-05-03T12:00:00Z"),
            ],
            [1, 2],
            {"history_rewritten": 1},
            id="a commit that is put back",
        ),
        pytest.param(
            [
                hook_push(hook_commit(1)),
                later(hook_push(hook_commit(2), ref="refs/heads/x", **FORCED)),
            ],
            [1],
            {"not_default_branch": 1},
            id="a forced push to another branch",
        ),
    ],
)
def test_which_pushed_commits_count(
    pushes: list[dict[str, Any]], seeds: list[int], counted: dict[str, int]
) -> None:
    signals, left_out = outcome(*(("push", each) for each in pushes))
    assert {each.identity for each in signals} == {sha(seed) for seed in seeds}
    assert dict(left_out) == counted


def test_a_commit_bears_its_own_time_and_not_the_pushs() -> None:
    (signal,) = outcome(("push", hook_push(hook_commit(1))))[0]
    assert signal.event_time == epoch_seconds("2021-05-03T09:59:00Z")


@pytest.mark.parametrize(
    ("author", "sender", "user_id"),
    [
        pytest.param({}, ALICE, synthetic_id_of_email("a@example.com"), id="an address alone"),
        pytest.param({"username": "Alice"}, ALICE, 1, id="GitHub says whose address it is"),
        pytest.param(
            {"username": "bob"}, ALICE, synthetic_id_of_email("a@example.com"), id="id not told"
        ),
        pytest.param(
            {"email": None, "username": "Alice"}, ALICE, 1, id="no address, but an account"
        ),
        pytest.param(
            {"email": "3+robot[bot]@users.noreply.github.com", "username": "robot[bot]"},
            ALICE,
            3,
            id="a bot's private address",
        ),
    ],
)
def test_authors_are_whom_github_says_that_they_are(
    author: dict[str, Any], sender: dict[str, Any], user_id: int
) -> None:
    source = hook_push(hook_commit(1, **author)) | {"sender": sender}
    assert [each.user_id for each in outcome(("push", source))[0]] == [user_id]
