"""Histories of one repository as GH Archive and git tell them, for hypothesis."""

from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

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

HOURS = st.integers(0, 23).map("2021-05-03T{:02}:15:00Z".format)
PEOPLE = st.sampled_from([ALICE, BOB, ROBOT, {"id": 4, "login": "Carol"}, {"login": "carol"}])
# A commit is what it is: message and author hang on its name.
MESSAGE_OF = {
    1: "Work",
    2: "Squashed (#1)",
    3: "Merge pull request #1 from acme/branch",
    4: "Pair\n\nCo-authored-by: Z <z@y.z>\nCo-authored-by: C <4+Carol@users.noreply.github.com>",
}
MAIL_OF = {1: "x@y.z", 2: "carol@users.noreply.github.com", 3: "x@y.z", 4: "x@y.z"}
BRANCHES = st.sampled_from(["main", "develop"])
NUMBERS = st.integers(1, 3)


@st.composite
def pushes(draw: st.DrawFn) -> dict[str, Any]:
    seeds = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    branch = draw(st.sampled_from(["main", "develop", "feature"]))
    commits = [commit(seed, MESSAGE_OF[seed], MAIL_OF[seed]) for seed in seeds]
    return push(*commits, ref=f"refs/heads/{branch}", actor=draw(PEOPLE), at=draw(HOURS))


@st.composite
def pull_events(draw: st.DrawFn) -> dict[str, Any]:
    number, at = draw(NUMBERS), draw(HOURS)
    action = draw(st.sampled_from(["opened", "closed", "reopened", "merged", "edited"]))
    merged = action == "closed" and draw(st.booleans())
    base = {"id": 500, "default_branch": draw(BRANCHES), "fork": False}
    source = pull(
        number,
        user=[ALICE, BOB, ROBOT][number - 1],
        body=draw(st.sampled_from(["", "Fixes #2", "closes #3"])),
        merged=merged,
        merged_at=at if merged else None,
        closed_at=at if action == "closed" else None,
        merge_commit_sha=sha(number),
        labels=draw(st.sampled_from([[], [{"name": "Spam"}]])),
        base={"repo": base},
    )
    if action == "merged":
        source = {"id": source["id"], "number": number}
    return pull_event(action, source, actor=draw(PEOPLE), at=at)


@st.composite
def issue_events(draw: st.DrawFn) -> dict[str, Any]:
    action, at = draw(st.sampled_from(["opened", "closed", "reopened"])), draw(HOURS)
    source = issue(draw(NUMBERS), closed_at=at if action == "closed" else None)
    return issue_event(action, source, actor=draw(PEOPLE), at=at)


@st.composite
def reviews(draw: st.DrawFn) -> dict[str, Any]:
    number = draw(NUMBERS)
    review = {
        "id": draw(st.integers(1, 3)),
        "user": draw(PEOPLE),
        "state": draw(st.sampled_from(["approved", "COMMENTED", "changes_requested", "dismissed"])),
        "submitted_at": "2021-05-03T09:00:00Z",
    }
    payload = {"action": "created", "review": review, "pull_request": {"number": number}}
    return event("PullRequestReviewEvent", payload, at=draw(HOURS), actor=draw(PEOPLE))


@st.composite
def comments(draw: st.DrawFn) -> dict[str, Any]:
    action = draw(st.sampled_from(["created", "created", "deleted"]))
    source = issue(draw(NUMBERS))
    if draw(st.booleans()):
        source["pull_request"] = {"url": "x"}
    comment = {"id": draw(st.integers(1, 3)), "user": BOB, "created_at": "2021-05-03T09:30:00Z"}
    payload = {"action": action, "issue": source, "comment": comment}
    return event("IssueCommentEvent", payload, at=draw(HOURS))


@st.composite
def branches(draw: st.DrawFn) -> dict[str, Any]:
    payload = {
        "ref": "x",
        "ref_type": "branch",
        "master_branch": draw(st.sampled_from(["main", "develop"])),
    }
    return event("CreateEvent", payload, at=draw(HOURS))


def histories(most: int = 14) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Events of one repository in any order and repetition."""
    kinds = st.one_of(pushes(), pull_events(), issue_events(), reviews(), comments(), branches())
    return st.lists(kinds, min_size=1, max_size=most)


@st.composite
def rearranged(
    draw: st.DrawFn, most: int = 14
) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]:
    """A history, and the same events in another order, some twice, cut into batches."""
    history = draw(histories(most))
    again = draw(st.lists(st.sampled_from(history), max_size=3))
    shuffled = draw(st.permutations(history + again))
    cuts = sorted(draw(st.sets(st.integers(1, max(len(shuffled) - 1, 1)), max_size=4)))
    edges = [0, *cuts, len(shuffled)]
    batches = [shuffled[start:end] for start, end in pairwise(edges)]
    return history, [batch for batch in batches if batch]
