"""GraphQL's pull requests, issues, reviews and comments to facts.

A thing is as it was at its last update, and is told as of then: read again unchanged it says the
same. What changes without an update (minimizing, locking) is told as of the moment of reading.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from laurel_ingest.domain.closing_keywords import closed_issues
from laurel_ingest.domain.facts import (
    CommentFact,
    IssueFact,
    PullFact,
    ReviewCommentFact,
    ReviewFact,
)
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.json_values import JsonObject, list_of, name_of, object_of, text_of
from laurel_ingest.domain.refusals import MalformedError, Skip
from laurel_ingest.domain.registers import UNKNOWN_STANDING, Said, Standing
from laurel_ingest.domain.snapshots import REVIEW_STATES, number_of
from laurel_ingest.domain.texts import headline
from laurel_ingest.domain.timestamps import epoch_seconds


@dataclass(frozen=True, slots=True)
class Reading:
    """Which repository is read, and when (epoch seconds)."""

    repository_id: int
    full_name: str
    at: int

    def findings(self, node: JsonObject) -> Findings:
        """Empty findings as of a thing's last update, or of the reading where it names none."""
        updated = node.get("updatedAt")
        return Findings(Standing.BEST, self.at if updated is None else epoch_seconds(updated))


def pull_request(reading: Reading, node: JsonObject) -> Findings:
    """A pull request with what its page shows of its reviews and comments."""
    found = reading.findings(node)
    number = number_of(node)
    state = (text_of(node, "state") or "").upper()
    created = epoch_seconds(node.get("createdAt"))
    linked = {
        issue["number"]
        for issue in nodes_of(node, "closingIssuesReferences")
        if (issue.get("repository") or {}).get("databaseId") == reading.repository_id
    }
    merged_at = node.get("mergedAt")
    found.facts.append(
        PullFact(
            reading.repository_id,
            number,
            standing=found.standing,
            author=found.credit_of(node, "author", None),
            merger=found.credit_of(node, "mergedBy", None) if merged_at else None,
            opened_at=found.said(created),
            created_at=found.said(created),
            merged_at=found.said(epoch_seconds(merged_at)) if merged_at else None,
            state=found.said(_state(state, node)),
            merge_commit_sha=found.said(text_of(object_of(node, "mergeCommit"), "oid"))
            if merged_at
            else None,
            title=found.said(headline(text_of(node, "title"))),
            is_spam=_spam(reading, node),
            closes=closed_issues(text_of(node, "body"), reading.full_name) | linked,
            is_deleted=found.said(False),
        )
    )
    submitted = {
        (event.get("review") or {}).get("fullDatabaseId"): event.get("previousReviewState")
        for event in nodes_of(node, "dismissals")
    }
    for review_node in nodes_of(node, "reviews"):
        review(reading, found, review_node, number, submitted)
    for comment_node in nodes_of(node, "comments"):
        comment(reading, found, comment_node, number)
    return found


def issue(reading: Reading, node: JsonObject) -> Findings:
    """An issue with what its page shows of its comments, and who closed it last."""
    found = reading.findings(node)
    number = number_of(node)
    created = epoch_seconds(node.get("createdAt"))
    closing: JsonObject = next(nodes_of(node, "closings"), {})
    state, closers = found.said("open"), dict[str, Said]()
    by_pull = False
    if (text_of(node, "state") or "").upper() == "CLOSED":
        closer = found.credit_of(closing, "actor", None)
        state, closers = found.closed(epoch_seconds(node.get("closedAt")), closer)
        by_pull = _by_pull(object_of(closing, "closer"))
    found.facts.append(
        IssueFact(
            reading.repository_id,
            number,
            standing=found.standing,
            author=found.credit_of(node, "author", None),
            opened_at=found.said(created),
            created_at=found.said(created),
            state=state,
            title=found.said(headline(text_of(node, "title"))),
            is_spam=_spam(reading, node),
            closers=closers,
            closed_by_pull=by_pull,
            is_deleted=found.said(False),
        )
    )
    for comment_node in nodes_of(node, "comments"):
        comment(reading, found, comment_node, number)
    return found


def review(
    reading: Reading,
    found: Findings,
    node: JsonObject,
    number: str,
    submitted: dict[str | None, str | None],
) -> None:
    """A review and the comments that its page shows.

    `submitted`: the state that each dismissed review had, by its id.
    """
    state = (text_of(node, "state") or "").lower()
    said = Said(Standing.BEST, reading.findings(node).at, state)
    if state == "dismissed":
        known = (submitted.get(_id_text(node)) or "").lower()
        said = (
            said._replace(value=known)
            if known in REVIEW_STATES
            else Said(UNKNOWN_STANDING, said.at, "commented")
        )
    elif state == "pending":
        found.left_out[Skip.PENDING_REVIEW] += 1
        return
    elif state not in REVIEW_STATES:
        raise MalformedError("state is not one of a review")
    submitted_at = node.get("submittedAt")
    found.facts.append(
        ReviewFact(
            reading.repository_id,
            _id_text(node),
            standing=found.standing,
            author=found.credit_of(node, "author", None),
            submitted_at=found.said(epoch_seconds(submitted_at)) if submitted_at else None,
            state=said,
            pull_numbers=frozenset({int(number)}),
        )
    )
    for comment_node in nodes_of(node, "comments"):
        review_comment(reading, found, comment_node, number)


def comment(reading: Reading, found: Findings, node: JsonObject, number: str) -> None:
    """A comment on an issue or pull request."""
    found.facts.append(
        CommentFact(
            reading.repository_id,
            _id_text(node),
            standing=found.standing,
            author=found.credit_of(node, "author", None),
            created_at=found.said(epoch_seconds(node.get("createdAt"))),
            number=found.said(int(number)),
            is_spam=_minimized(reading, node),
        )
    )


def review_comment(reading: Reading, found: Findings, node: JsonObject, number: str) -> None:
    """A comment on a line of a pull request."""
    found.facts.append(
        ReviewCommentFact(
            reading.repository_id,
            _id_text(node),
            standing=found.standing,
            author=found.credit_of(node, "author", None),
            created_at=found.said(epoch_seconds(node.get("createdAt"))),
            pull_numbers=frozenset({int(number)}),
            is_spam=_minimized(reading, node),
        )
    )


def nodes_of(node: JsonObject, name: str) -> Iterator[JsonObject]:
    """The nodes of a connection; GitHub writes null for one that it can't show."""
    for each in list_of(object_of(node, name), "nodes"):
        if isinstance(each, dict) and each:
            yield each


def has_gaps(node: JsonObject) -> bool:
    """Whether a thing, or a review, has reviews or comments that GitHub can't show."""
    listed = [list_of(object_of(node, name), "nodes") for name in ("reviews", "comments")]
    return any(None in each for each in listed) or any(
        None in list_of(object_of(review, "comments"), "nodes")
        for review in nodes_of(node, "reviews")
    )


def _state(state: str, node: JsonObject) -> Any:
    return "open" if state == "OPEN" else ["closed", epoch_seconds(node.get("closedAt"))]


def _by_pull(closer: JsonObject) -> bool:
    """Whether an issue was closed by a pull request, or by a commit of one."""
    if closer.get("__typename") == "PullRequest":
        return True
    return bool(object_of(closer, "associatedPullRequests").get("totalCount"))


def _spam(reading: Reading, node: JsonObject) -> Said:
    """Locked as spam or labelled `spam`."""
    locked = (text_of(node, "activeLockReason") or "").upper() == "SPAM"
    labelled = any(
        (name_of(label, "name") or "").lower() == "spam" for label in nodes_of(node, "labels")
    )
    return Said(Standing.BEST, reading.at, locked or labelled)


def _minimized(reading: Reading, node: JsonObject) -> Said:
    reason = (text_of(node, "minimizedReason") or "").lower()
    return Said(Standing.BEST, reading.at, node.get("isMinimized") is True and reason == "spam")


def _id_text(node: JsonObject) -> str:
    """GraphQL's big numbers are texts."""
    value = node.get("fullDatabaseId")
    if isinstance(value, int | str) and str(value).isdecimal() and int(value) > 0:
        return str(int(value))
    raise MalformedError("fullDatabaseId is missing")
