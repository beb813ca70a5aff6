"""GH Archive, any year from 2015: one line's event to facts, by one function per event type."""

from collections.abc import Callable
from typing import Final

from laurel_ingest.domain import activity
from laurel_ingest.domain.archive_frames import ArchiveEvent
from laurel_ingest.domain.archive_pushes import push
from laurel_ingest.domain.facts import RepositoryFact
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.identities import is_synthetic
from laurel_ingest.domain.json_values import id_of, name_of, object_of
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


WRITTEN_AFTER: Final = 3
"""Seconds that may lie between what happened and the event of it, in every year that there is."""


def findings_of(event: ArchiveEvent, repository_id: int) -> Findings:
    """What an event says about a repository whose id is known by now.

    It is said as of the earliest time that it can have happened at: whoever saw the thing itself
    and tells of the same moment has the say.

    Raises MalformedError for a payload that is not what the event's type says.
    """
    found = Findings(Standing.ARCHIVE, event.at - WRITTEN_AFTER)
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


def _push_event(found: Findings, event: ArchiveEvent, repository_id: int) -> None:
    push(found, repository_id, event.payload, event.at)


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
    "PullRequestEvent": activity.pull_request,
    "IssuesEvent": activity.issues,
    "IssueCommentEvent": activity.issue_comment,
    "PullRequestReviewEvent": activity.review,
    "PullRequestReviewCommentEvent": activity.review_comment,
}
