"""GH Archive, any year from 2015: one line's event to facts, by one function per event type."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from laurel_ingest.domain import snapshots
from laurel_ingest.domain.archive_frames import ArchiveEvent
from laurel_ingest.domain.archive_pushes import push
from laurel_ingest.domain.commits import sha_under
from laurel_ingest.domain.facts import RepositoryFact
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.identities import is_synthetic
from laurel_ingest.domain.json_values import id_of, name_of, object_of, text_of
from laurel_ingest.domain.refusals import Skip, Truncation
from laurel_ingest.domain.registers import Standing

UNCOUNTED: Final = frozenset(
    f"{name}Event"
    for name in (
        *("CommitComment", "Create", "Delete", "Deployment", "DeploymentStatus", "Discussion"),
        *("DiscussionComment", "Download", "Follow", "Fork", "ForkApply", "Gist", "Gollum"),
        *("Member", "Membership", "PageBuild", "Public", "Release", "Repository", "Sponsorship"),
        *("Status", "TeamAdd", "Team", "Watch"),
    )
)
"""Event types that GitHub has and that no signal comes of."""


def findings_of(event: ArchiveEvent, repository_id: int) -> Findings:
    """What an event says about a repository whose id is known by now.

    Raises MalformedError for a payload that is not what the event's type says.
    """
    found = Findings(Standing.ARCHIVE, event.at)
    if event.actor is not None and is_synthetic(event.actor.user_id):
        found.left_out[Truncation.ACTOR_WITHOUT_ID] += 1
    handler = _HANDLERS.get(event.type)
    if handler is not None:
        if event.actor is not None:
            # Not credited by that, but a commit's private address may turn out to be theirs.
            found.meet(event.actor)
        handler(found, event, repository_id)
    elif event.type in UNCOUNTED:
        found.left_out[Skip.UNCOUNTED_EVENT_TYPE] += 1
        _tell_repositories(found, event, repository_id)
    else:
        found.left_out[Skip.UNKNOWN_EVENT_TYPE] += 1
    return found


def _pull_request_event(found: Findings, event: ArchiveEvent, repository_id: int) -> None:
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
    else:
        found.left_out[Skip.UNCOUNTED_ACTION] += 1
    if pull.author is None:
        found.left_out[Truncation.PULL_REQUEST_WITHOUT_AUTHOR] += 1
    found.facts.append(pull)
    for side in ("base", "head"):
        snapshots.repository(found, object_of(object_of(source, side), "repo"))


def _issues_event(found: Findings, event: ArchiveEvent, repository_id: int) -> None:
    action, source = text_of(event.payload, "action"), object_of(event.payload, "issue")
    opener = event.actor if action == "opened" else None
    issue = snapshots.issue(found, repository_id, source, opener)
    if action == "opened":
        opened = found.said(snapshots.time_of(source, "created_at", event.at))
        issue = replace(issue, opened_at=opened, state=found.said("open"))
    elif action == "closed":
        closer = found.credit(event.actor)
        closed = snapshots.time_of(source, "closed_at", event.at)
        issue = replace(
            issue, state=found.said(["closed", closed, closer.value if closer else None])
        )
    elif action == "reopened":
        issue = replace(issue, state=found.said("open"))
    elif action in ("deleted", "transferred"):
        issue = replace(issue, is_deleted=found.said(True))
    else:
        found.left_out[Skip.UNCOUNTED_ACTION] += 1
    found.facts.append(issue)


def _issue_comment_event(found: Findings, event: ArchiveEvent, repository_id: int) -> None:
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


def _review_event(found: Findings, event: ArchiveEvent, repository_id: int) -> None:
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


def _review_comment_event(found: Findings, event: ArchiveEvent, repository_id: int) -> None:
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


def _push_event(found: Findings, event: ArchiveEvent, repository_id: int) -> None:
    push(found, repository_id, event.payload)


def _tell_repositories(found: Findings, event: ArchiveEvent, repository_id: int) -> None:
    """Creating a branch tells the default one, a fork tells what is one."""
    branch = name_of(event.payload, "master_branch")
    if event.type == "CreateEvent" and branch:
        found.facts.append(RepositoryFact(repository_id, default_branch=found.said(branch)))
    elif event.type == "ForkEvent":
        forkee = id_of(object_of(event.payload, "forkee"))
        if forkee is not None:
            found.facts.append(RepositoryFact(forkee, is_fork=found.said(True)))


_HANDLERS: Final[dict[str, Callable[[Findings, ArchiveEvent, int], None]]] = {
    "PushEvent": _push_event,
    "PullRequestEvent": _pull_request_event,
    "IssuesEvent": _issues_event,
    "IssueCommentEvent": _issue_comment_event,
    "PullRequestReviewEvent": _review_event,
    "PullRequestReviewCommentEvent": _review_comment_event,
}
