"""Facts from what happens to pull requests, issues, reviews and comments.

GH Archive and webhooks tell it in the same objects; what surrounds them, and pushes, differ.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from laurel_ingest.domain import snapshots
from laurel_ingest.domain.commits import sha_under
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.json_values import JsonObject, object_of, text_of
from laurel_ingest.domain.people import Person
from laurel_ingest.domain.refusals import Skip, Truncation


class Event(Protocol):
    """When, in which repository and by whom; what is told besides stands in the payload."""

    @property
    def at(self) -> int:
        """Epoch seconds."""

    @property
    def full_name(self) -> str:
        """owner/name."""

    @property
    def actor(self) -> Person | None:
        """Who did it, where the source tells."""

    @property
    def payload(self) -> JsonObject:
        """GitHub's objects."""


Handler = Callable[[Findings, Event, int], None]
"""Adds to findings what an event says of the repository with this id. Raises MalformedError."""

_SHOWN_BY_SNAPSHOT: Final = frozenset({"labeled", "unlabeled", "locked", "unlocked"})


def pull_request(found: Findings, event: Event, repository_id: int) -> None:
    """Opened, closed, merged, reopened; labels and locks."""
    action, payload = text_of(event.payload, "action"), event.payload
    source = object_of(payload, "pull_request")
    # Whoever opens a pull request is its author; nobody else's action tells who that is.
    opener = event.actor if action == "opened" else None
    pull = snapshots.pull_request(found, repository_id, event.full_name, source, opener)
    merged = action == "merged" or (action == "closed" and source.get("merged") is True)
    if action == "opened":
        opened = found.said(snapshots.time_of(source, "created_at", event.at))
        pull = replace(pull, opened_at=opened, state=found.said("open"))
    elif merged:
        merger = found.credit_of(source, "merged_by", event.actor)
        pull = replace(
            pull,
            merged_at=found.said(snapshots.time_of(source, "merged_at", event.at)),
            merger=merger or found.credit(event.actor),
            merge_commit_sha=found.said(sha_under(source, "merge_commit_sha")),
        )
    elif action == "closed":
        closed = snapshots.time_of(source, "closed_at", event.at)
        pull = replace(pull, state=found.said(["closed", closed]))
    elif action == "reopened":
        pull = replace(pull, state=found.said("open"))
    elif action not in _SHOWN_BY_SNAPSHOT:
        found.left_out[Skip.UNCOUNTED_ACTION] += 1
    if pull.author is None:
        found.lack(Truncation.PULL_REQUEST_WITHOUT_AUTHOR, None)
    found.facts.append(pull)
    for side in ("base", "head"):
        snapshots.repository(found, object_of(object_of(source, side), "repo"))


def issues(found: Findings, event: Event, repository_id: int) -> None:
    """Opened, closed, reopened, deleted, moved away; labels and locks."""
    action, source = text_of(event.payload, "action"), object_of(event.payload, "issue")
    opener = event.actor if action == "opened" else None
    issue = snapshots.issue(found, repository_id, source, opener)
    if action == "opened":
        opened = found.said(snapshots.time_of(source, "created_at", event.at))
        issue = replace(issue, opened_at=opened, state=found.said("open"))
    elif action == "closed":
        closer = found.credit(event.actor)
        state, closers = found.closed(snapshots.time_of(source, "closed_at", event.at), closer)
        issue = replace(issue, state=state, closers=closers)
    elif action == "reopened":
        issue = replace(issue, state=found.said("open"))
    elif action in ("deleted", "transferred"):
        issue = replace(issue, is_deleted=found.said(True))
    elif action not in _SHOWN_BY_SNAPSHOT:
        found.left_out[Skip.UNCOUNTED_ACTION] += 1
    found.facts.append(issue)


def issue_comment(found: Findings, event: Event, repository_id: int) -> None:
    """A comment on an issue or pull request, and what it stands under."""
    action, source = text_of(event.payload, "action"), object_of(event.payload, "issue")
    if snapshots.is_pull_request(source):
        found.facts.append(
            snapshots.pull_request(found, repository_id, event.full_name, source, None)
        )
    else:
        found.facts.append(snapshots.issue(found, repository_id, source, None))
    comment = snapshots.comment(
        found,
        repository_id,
        object_of(event.payload, "comment"),
        snapshots.number_of(source),
        event.actor if action == "created" else None,
    )
    if action == "deleted":
        comment = replace(comment, is_deleted=found.said(True))
    elif action not in ("created", "edited"):
        found.left_out[Skip.UNCOUNTED_ACTION] += 1
    found.facts.append(comment)


def review(found: Findings, event: Event, repository_id: int) -> None:
    """A review, and the pull request that it is of."""
    pull = object_of(event.payload, "pull_request")
    found.facts.append(snapshots.pull_request(found, repository_id, event.full_name, pull, None))
    review = snapshots.review(
        found,
        repository_id,
        object_of(event.payload, "review"),
        snapshots.number_of(pull),
        event.actor if text_of(event.payload, "action") in ("created", "submitted") else None,
    )
    if review is None:
        found.left_out[Skip.PENDING_REVIEW] += 1
    else:
        found.facts.append(review)


def review_comment(found: Findings, event: Event, repository_id: int) -> None:
    """A comment on a line, and the pull request that it is of."""
    action, pull = text_of(event.payload, "action"), object_of(event.payload, "pull_request")
    found.facts.append(snapshots.pull_request(found, repository_id, event.full_name, pull, None))
    comment = snapshots.review_comment(
        found,
        repository_id,
        object_of(event.payload, "comment"),
        snapshots.number_of(pull),
        event.actor if action == "created" else None,
    )
    if action == "deleted":
        comment = replace(comment, is_deleted=found.said(True))
    elif action not in ("created", "edited"):
        found.left_out[Skip.UNCOUNTED_ACTION] += 1
    found.facts.append(comment)
