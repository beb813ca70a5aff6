"""What GraphQL's nodes say, fact by fact."""

from typing import Any

import pytest

from laurel_ingest.domain.facts import (
    CommentFact,
    CommitFact,
    Fact,
    IssueFact,
    PullFact,
    ReviewCommentFact,
    ReviewFact,
)
from laurel_ingest.domain.history.commits import commits
from laurel_ingest.domain.history.nodes import Reading, issue, pull_request
from laurel_ingest.domain.identities import GHOST_ID, synthetic_id_of_email
from laurel_ingest.domain.refusals import MalformedError, Skip
from laurel_ingest.domain.registers import UNKNOWN_STANDING, Standing
from laurel_ingest.domain.timestamps import epoch_seconds

READING = Reading(7, "acme/anvil", 2_000_000_000)
CREATED, UPDATED, CLOSED = "2025-03-01T09:00:00Z", "2025-03-04T09:00:00Z", "2025-03-03T09:00:00Z"
ANN = {"__typename": "User", "id": 11, "login": "ann"}
HOOK = {"__typename": "Bot", "id": 12, "login": "hook"}
OID = "a" * 40


def pull(**changes: Any) -> dict[str, Any]:
    return {
        "number": 5,
        "title": "Mend it\nnow",
        "body": "Fixes #3",
        "state": "OPEN",
        "createdAt": CREATED,
        "updatedAt": UPDATED,
        "closedAt": None,
        "mergedAt": None,
        "author": ANN,
        "mergedBy": None,
        "mergeCommit": None,
    } | changes


def an_issue(**changes: Any) -> dict[str, Any]:
    return {
        "number": 3,
        "title": "Broken",
        "state": "OPEN",
        "createdAt": CREATED,
        "updatedAt": UPDATED,
        "closedAt": None,
        "author": ANN,
    } | changes


def a_commit(**changes: Any) -> dict[str, Any]:
    return {
        "oid": OID,
        "message": "Do it",
        "additions": 4,
        "deletions": 1,
        "authoredDate": CREATED,
        "parents": {"totalCount": 1, "nodes": []},
        "authors": {"totalCount": 1, "nodes": [{"name": "Ann", "email": "a@x", "user": None}]},
    } | changes


def nodes(*each: Any) -> dict[str, Any]:
    return {"nodes": list(each)}


def one(facts: list[Fact], kind: type[Any]) -> Any:
    return next(fact for fact in facts if isinstance(fact, kind))


def test_an_open_pull_request_is_told_as_of_its_last_update() -> None:
    found = one(pull_request(READING, pull()).facts, PullFact)
    assert found.identity == "5"
    assert found.author == (Standing.BEST, epoch_seconds(UPDATED), [11, False])
    assert found.state.value == "open"
    assert found.merged_at is None
    assert found.title.value == "Mend it"
    assert found.closes == {3}


def test_a_merged_one_tells_who_merged_it_and_as_what() -> None:
    node = pull(
        state="MERGED",
        closedAt=CLOSED,
        mergedAt=CLOSED,
        mergedBy=HOOK,
        mergeCommit={"oid": OID},
        closingIssuesReferences=nodes(
            {"number": 8, "repository": {"databaseId": 7}},
            {"number": 9, "repository": {"databaseId": 70}},
        ),
    )
    found = pull_request(READING, node)
    told = one(found.facts, PullFact)
    assert told.merged_at.value == epoch_seconds(CLOSED)
    assert told.merger.value == [12, True]
    assert told.merge_commit_sha.value == OID
    assert told.closes == {3, 8}
    assert found.people[12].login == "hook[bot]"


def test_a_deleted_author_is_the_ghost_unless_somebody_knows_better() -> None:
    author = one(pull_request(READING, pull(author=None)).facts, PullFact).author
    assert author == (UNKNOWN_STANDING, epoch_seconds(UPDATED), [GHOST_ID, False])


def test_a_human_without_the_suffix_is_no_bot() -> None:
    human = {"__typename": "User", "id": 13, "login": "hook"}
    found = pull_request(READING, pull(author=human))
    assert found.people[13].login == "hook"
    assert one(found.facts, PullFact).author.value == [13, False]


@pytest.mark.parametrize(
    ("changes", "spam"),
    [
        ({}, False),
        ({"activeLockReason": "SPAM"}, True),
        ({"activeLockReason": "RESOLVED"}, False),
        ({"labels": nodes({"name": "Spam"})}, True),
        ({"labels": nodes({"name": "antispam"})}, False),
    ],
    ids=str,
)
def test_spam_is_told_by_lock_or_label(changes: dict[str, Any], spam: bool) -> None:
    assert one(pull_request(READING, pull(**changes)).facts, PullFact).is_spam.value is spam
    assert one(issue(READING, an_issue(**changes)).facts, IssueFact).is_spam.value is spam


def a_review(**changes: Any) -> dict[str, Any]:
    return {
        "fullDatabaseId": "9007199254740995",
        "state": "APPROVED",
        "submittedAt": CLOSED,
        "updatedAt": CLOSED,
        "author": ANN,
    } | changes


@pytest.mark.parametrize(
    ("changes", "dismissals", "state", "standing"),
    [
        ({}, (), "approved", Standing.BEST),
        ({"state": "CHANGES_REQUESTED"}, (), "changes_requested", Standing.BEST),
        ({"state": "DISMISSED"}, (), "commented", UNKNOWN_STANDING),
        ({"state": "DISMISSED"}, ("APPROVED",), "approved", Standing.BEST),
    ],
    ids=["approved", "changes_requested", "dismissed", "dismissed after approval"],
)
def test_a_review_has_the_state_that_it_was_submitted_with(
    changes: dict[str, Any], dismissals: tuple[str, ...], state: str, standing: int
) -> None:
    review = a_review(**changes)
    events = [
        {"previousReviewState": each, "review": {"fullDatabaseId": review["fullDatabaseId"]}}
        for each in dismissals
    ]
    found = pull_request(READING, pull(reviews=nodes(review), dismissals=nodes(*events)))
    told = one(found.facts, ReviewFact)
    assert (told.identity, told.pull_numbers) == ("9007199254740995", {5})
    assert (told.state.value, told.state.standing) == (state, standing)


def test_a_pending_review_is_counted_and_no_more() -> None:
    node = pull(reviews=nodes(a_review(state="PENDING", submittedAt=None)))
    found = pull_request(READING, node)
    assert found.left_out == {Skip.PENDING_REVIEW: 1}
    assert [fact.kind for fact in found.facts] == ["pull_request"]


@pytest.mark.parametrize(
    ("minimized", "reason", "spam"),
    [(False, None, False), (True, "spam", True), (True, "SPAM", True), (True, "outdated", False)],
)
def test_a_comment_minimized_as_spam_is_spam(
    minimized: bool, reason: str | None, spam: bool
) -> None:
    said = {
        "fullDatabaseId": "77",
        "createdAt": CREATED,
        "updatedAt": CREATED,
        "author": ANN,
        "isMinimized": minimized,
        "minimizedReason": reason,
    }
    node = pull(comments=nodes(said), reviews=nodes(a_review(comments=nodes(said))))
    facts = pull_request(READING, node).facts
    assert one(facts, CommentFact).is_spam.value is spam
    assert one(facts, ReviewCommentFact).is_spam.value is spam


@pytest.mark.parametrize(
    ("closer", "by_pull"),
    [
        (None, False),
        ({"__typename": "PullRequest"}, True),
        ({"__typename": "Commit", "associatedPullRequests": {"totalCount": 1}}, True),
        ({"__typename": "Commit", "associatedPullRequests": {"totalCount": 0}}, False),
        ({"__typename": "ProjectV2"}, False),
    ],
    ids=str,
)
def test_a_closed_issue_tells_who_closed_it_and_whether_a_pull_request_did(
    closer: dict[str, Any] | None, by_pull: bool
) -> None:
    closing = {"createdAt": CLOSED, "actor": HOOK, "closer": closer}
    node = an_issue(state="CLOSED", closedAt=CLOSED, closings=nodes(closing))
    told = one(issue(READING, node).facts, IssueFact)
    assert told.state.value == ["closed", epoch_seconds(CLOSED), [12, True]]
    assert told.closed_by_pull is by_pull


def test_a_commit_credits_authors_once_each_and_claims_their_addresses() -> None:
    user = {"id": 11, "login": "ann"}
    authors = [
        {"name": "Ann", "email": "ann@example.com", "user": user},
        {"name": "Ann", "email": "ann@old.example.com", "user": user},
        {"name": "Bo", "email": "bo@example.com", "user": None},
    ]
    found = commits(READING, [a_commit(authors={"totalCount": 3, "nodes": authors})])
    bo = synthetic_id_of_email("bo@example.com")
    assert one(found.facts, CommitFact).authors.value == [[11, False], [bo, False]]
    assert found.claims == {
        synthetic_id_of_email("ann@example.com"): 11,
        synthetic_id_of_email("ann@old.example.com"): 11,
    }


def test_authors_beyond_the_page_come_from_the_trailers() -> None:
    message = "Do it\n\nCo-authored-by: Bo <bo@example.com>"
    node = a_commit(message=message) | {"authors": a_commit()["authors"] | {"totalCount": 2}}
    told = one(commits(READING, [node]).facts, CommitFact)
    assert [each[0] for each in told.authors.value] == [
        synthetic_id_of_email("a@x"),
        synthetic_id_of_email("bo@example.com"),
    ]


def test_a_commit_came_by_merged_pull_requests_of_this_repository_alone() -> None:
    here, elsewhere = {"databaseId": 7}, {"databaseId": 8}
    pulls = nodes(
        {"number": 1, "merged": True, "baseRepository": here},
        {"number": 2, "merged": False, "baseRepository": here},
        {"number": 3, "merged": True, "baseRepository": elsewhere},
        {"number": 4, "merged": True, "baseRepository": None},
    )
    node = a_commit(message="Do it (#9)", associatedPullRequests=pulls)
    assert one(commits(READING, [node]).facts, CommitFact).pull_numbers == {1, 9}


def test_two_parents_make_a_merge() -> None:
    node = a_commit(parents={"totalCount": 2, "nodes": []}, message="Merge (#9)")
    told = one(commits(READING, [node]).facts, CommitFact)
    assert told.is_merge.value is True
    assert told.pull_numbers == frozenset()


@pytest.mark.parametrize(
    "node",
    [pull(number=None), pull(createdAt="soon"), pull(reviews=nodes(a_review(fullDatabaseId=None)))],
    ids=["no number", "no time", "no id"],
)
def test_what_is_not_githubs_is_refused(node: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        pull_request(READING, node)
