"""What single events of GH Archive say, quirk by quirk."""

from collections import Counter
from typing import Any

import pytest

from laurel_ingest.application.batch_facts import BatchFacts
from laurel_ingest.domain import archive_events, archive_frames
from laurel_ingest.domain.credits import signals_of
from laurel_ingest.domain.linking import RepositoryFacts
from laurel_ingest.domain.refusals import MalformedError, Skip, SkippedError
from laurel_ingest.domain.signals import Flag, Signal, SignalType
from tests.support.ingest_builders import (
    ALICE,
    BOB,
    ROBOT,
    commit,
    event,
    issue,
    issue_event,
    pull,
    pull_event,
    push,
    sha,
)

Event = dict[str, Any]
CLOSE = "2021-05-03T10:00:00Z"


def outcome(*events: Event) -> tuple[list[Signal], Counter[str]]:
    """The signals of some events, and what was left out, by reason."""
    told, left_out = BatchFacts(), Counter[str]()
    for raw in events:
        frame = archive_frames.read_event(raw)
        found = archive_events.findings_of(frame, frame.repository_id or 500)
        left_out += found.left_out
        told.add(found, 500, frame.full_name, frame.owner)
    known = RepositoryFacts.of(told.facts.values())
    signals: list[Signal] = []
    for fact in told.facts.values():
        some = signals_of(fact, known, told.claims())
        if isinstance(some, Skip):
            left_out[some] += 1
        else:
            signals += some
    return sorted(signals, key=lambda each: (each.type, each.identity, each.user_id)), left_out


def brief(signals: list[Signal]) -> list[tuple[str, str, int, int]]:
    """(type, identity, user, flags)."""
    return [(each.type.label, each.identity, each.user_id, int(each.flags)) for each in signals]


BOT, SELF_REVIEW, SELF_MERGE = Flag.IS_BOT, Flag.IS_SELF_REVIEW, Flag.IS_SELF_MERGE
IN_PR, ISSUE, PR = Flag.IS_IN_MERGED_PR, Flag.HAS_LINKED_ISSUE, Flag.HAS_LINKED_PR


def merged(**changes: Any) -> dict[str, Any]:
    return pull(merged=True, merged_at=CLOSE, merge_commit_sha=sha(9), **changes)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param(
            [pull_event("opened", pull())], [("pr_open", "1", 2, 0)], id="opened: the author's"
        ),
        pytest.param(
            [pull_event("closed", merged(merged_by=ALICE))],
            [("pr_merge", "1", 2, 0)],
            id="merged by another: the author's",
        ),
        pytest.param(
            [pull_event("closed", merged(user=ALICE))],
            [("pr_merge", "1", 1, SELF_MERGE)],
            id="2015: merged_by is absent, the actor pressed the button",
        ),
        pytest.param(
            [pull_event("merged", {"id": 1, "number": 1}), pull_event("opened", pull())],
            [("pr_open", "1", 2, 0), ("pr_merge", "1", 2, 0)],
            id="2026: action merged, the author known from the opening",
        ),
        pytest.param(
            [pull_event("closed", pull(closed_at=CLOSE))],
            [("pr_close_no_merge", "1", 2, 0)],
            id="closed without merge",
        ),
        pytest.param(
            [
                pull_event("closed", pull(closed_at=CLOSE)),
                pull_event("reopened", pull(), at="2021-05-04T00:00:00Z"),
            ],
            [],
            id="reopened",
        ),
        pytest.param(
            [
                pull_event("closed", merged(), at="2021-05-04T00:00:00Z"),
                pull_event("closed", pull(closed_at=CLOSE), at="2021-05-05T00:00:00Z"),
            ],
            [("pr_merge", "1", 2, 0)],
            id="a merge stands whatever else is told",
        ),
        pytest.param(
            [pull_event("opened", pull(user=None))], [("pr_open", "1", 10137, 0)], id="a ghost"
        ),
        pytest.param(
            [pull_event("closed", merged(user=None)), pull_event("opened", pull())],
            [("pr_open", "1", 2, 0), ("pr_merge", "1", 2, 0)],
            id="a ghost whom another event knows",
        ),
        pytest.param(
            [pull_event("opened", pull(user=ROBOT, body="Closes: #7"))],
            [("pr_open", "1", 3, BOT | ISSUE)],
            id="a bot's, with a linked issue",
        ),
        pytest.param(
            [issue_event("closed", issue(closed_at=CLOSE))],
            [("issue_close", "7", 1, 0)],
            id="an issue's close is whoever closed it's",
        ),
        pytest.param(
            [
                issue_event("closed", issue(closed_at=CLOSE)),
                pull_event("closed", merged(body="Fixes #7")),
            ],
            [("pr_merge", "1", 2, ISSUE), ("issue_close", "7", 1, PR)],
            id="an issue that a merged pull request names",
        ),
        pytest.param(
            [
                issue_event("closed", issue(closed_at=CLOSE)),
                pull_event("closed", pull(closed_at=CLOSE, body="Fixes #7")),
            ],
            [("pr_close_no_merge", "1", 2, ISSUE), ("issue_close", "7", 1, 0)],
            id="an issue that an unmerged pull request names",
        ),
        pytest.param(
            [issue_event("opened", issue(labels=[{"name": "SPAM"}]))],
            [("issue_open", "7", 2, 0), ("spam", "issue:7", 2, 0)],
            id="an issue labelled as spam",
        ),
        pytest.param(
            [
                issue_event("opened", issue(labels=[{"name": "spam"}])),
                issue_event("unlabeled", issue(), at="2021-05-04T00:00:00Z"),
            ],
            [("issue_open", "7", 2, 0)],
            id="the label is taken off",
        ),
    ],
)
def test_pull_requests_and_issues(events: list[Event], expected: list[Any]) -> None:
    assert brief(outcome(*events)[0]) == expected


def review(state: str, review_id: int = 1, **changes: Any) -> Event:
    source = {"id": review_id, "user": BOB, "state": state, "submitted_at": CLOSE}
    payload = {"action": "created", "review": source, "pull_request": pull(user=ALICE)}
    return event("PullRequestReviewEvent", payload, **changes)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        pytest.param([review("APPROVED")], 1, id="in any case"),
        pytest.param([review("changes_requested")], 2, id="changes requested"),
        pytest.param([review("dismissed")], 3, id="dismissed before it was known"),
        pytest.param([review("dismissed"), review("approved")], 1, id="dismissed, known before"),
    ],
)
def test_review_states(events: list[Event], state: int) -> None:
    (signal,) = outcome(*events)[0]
    assert (signal.type, signal.user_id, signal.review_state) == (SignalType.REVIEW, 2, state)


def test_a_pending_review_is_no_signal() -> None:
    assert outcome(review("pending")) == ([], {Skip.PENDING_REVIEW: 1})


def test_a_review_of_ones_own_pull_request_is_flagged() -> None:
    own = review("approved")
    own["payload"]["pull_request"] = pull(user=BOB)
    assert brief(outcome(own)[0]) == [("review", "1", 2, SELF_REVIEW)]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param("Add a thing (#12)", [("commit", sha(1), IN_PR)], id="a squash"),
        pytest.param("See (#12) for why", [("commit", sha(1), 0)], id="a number elsewhere"),
        pytest.param("Merge pull request #3 from a/b", [], id="GitHub's merge"),
        pytest.param("Merge branch 'x'", [], id="git's merge"),
        pytest.param("Merge sort", [("commit", sha(1), 0)], id="not a merge at all"),
    ],
)
def test_messages_tell_merges_and_squashes(message: str, expected: list[Any]) -> None:
    signals, _ = outcome(push(commit(1, message)))
    assert [(each.type.label, each.identity, int(each.flags)) for each in signals] == expected


@pytest.mark.parametrize(
    ("events", "count"),
    [
        pytest.param([push(commit(1))], 1, id="main"),
        pytest.param([push(commit(1), ref="refs/heads/master")], 1, id="master"),
        pytest.param([push(commit(1), ref="refs/heads/dev")], 0, id="another branch"),
        pytest.param([push(commit(1), ref="refs/tags/v1")], 0, id="a tag"),
        pytest.param(
            [
                push(commit(1), ref="refs/heads/dev"),
                event("CreateEvent", {"ref_type": "branch", "master_branch": "dev"}),
            ],
            1,
            id="another branch that turns out to be the default one",
        ),
        pytest.param(
            [push(commit(1)), event("CreateEvent", {"ref_type": "tag", "master_branch": "dev"})],
            0,
            id="main that turns out not to be the default one",
        ),
        pytest.param([push(commit(1)), push(commit(1), commit(2))], 2, id="the same twice"),
        pytest.param(
            [
                push(commit(1)),
                event("ForkEvent", {"forkee": {"id": 500}}, repo={"id": 9, "name": "up/stream"}),
            ],
            0,
            id="a fork",
        ),
    ],
)
def test_which_pushed_commits_count(events: list[Event], count: int) -> None:
    assert len(outcome(*events)[0]) == count


def test_co_authors_are_credited_once_each() -> None:
    message = (
        "Together\n\nCo-authored-by: B <2+bob@users.noreply.github.com>\n"
        "co-authored-by: B <2+bob@users.noreply.github.com>\n"
        "Co-authored-by: A <a@example.com>\n"
    )
    signals, _ = outcome(push(commit(1, message)))
    assert len(signals) == 2
    assert 2 in {each.user_id for each in signals}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(push(commit(1), size=25), "push_truncated", id="more than twenty commits"),
        pytest.param(
            event("PushEvent", {"ref": "refs/heads/main", "head": sha(1)}),
            "push_without_commits",
            id="2026: no commits",
        ),
        pytest.param(
            pull_event("opened", {"id": 1, "number": 1}, actor={"login": "x"}),
            "actor_without_id",
            id="2026: an actor without an id",
        ),
        pytest.param(event("WatchEvent", {}), "uncounted_event_type", id="a star"),
        pytest.param(event("StrangeEvent", {}), "unknown_event_type", id="nobody knows it"),
        pytest.param(pull_event("assigned", pull()), "uncounted_action", id="another action"),
        pytest.param(push(commit(1, email="")), "no_author", id="a commit without an address"),
    ],
)
def test_what_is_missing_is_counted(raw: Event, reason: str) -> None:
    assert outcome(raw)[1][reason] == 1


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"created_at": "2015-01-01T00:59:59+01:00"}, id="a second too old"),
        pytest.param({"actor": "x", "actor_attributes": {}}, id="the Timeline API's shape"),
    ],
)
def test_what_is_older_than_2015_is_refused_by_that_name(changes: Event) -> None:
    with pytest.raises(SkippedError) as caught:
        archive_frames.read_event({**push(commit(1)), **changes})
    assert caught.value.reason is Skip.BEFORE_2015


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param([], id="a list"),
        pytest.param({}, id="nothing in it"),
        pytest.param({**push(), "created_at": "yesterday"}, id="no time"),
        pytest.param({**push(), "created_at": "2021-05-03T10:00:00"}, id="a time without offset"),
        pytest.param({**push(), "repo": {"id": 1, "name": "nameless"}}, id="no owner"),
        pytest.param({**push(), "repo": {"id": "1", "name": "a/b"}}, id="a text for an id"),
        pytest.param({**push(), "repo": {"id": 2**70, "name": "a/b"}}, id="an id of 70 bits"),
        pytest.param({**push(), "payload": 5}, id="a number for a payload"),
        pytest.param(push({"sha": "zz", "author": {}}), id="no SHA"),
        pytest.param(push({"sha": sha(1), "author": []}), id="a list for an author"),
        pytest.param(issue_event("opened", {"number": True}), id="a truth for a number"),
        pytest.param(review("enthusiastic"), id="a state that no review has"),
    ],
)
def test_what_is_no_event_is_malformed(raw: Any) -> None:
    with pytest.raises(MalformedError):
        outcome(raw)


def test_titles_come_clean_and_short() -> None:
    (signal,) = outcome(pull_event("opened", pull(title="\ud800a\x00b" + "x" * 300)))[0]
    assert signal.title is not None
    assert signal.title.startswith("\ufffda\ufffdb")
    assert len(signal.title) == 256
