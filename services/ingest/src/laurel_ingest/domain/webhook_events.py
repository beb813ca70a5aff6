"""GitHub's webhooks about a repository: a payload to facts, by one function per event."""

from typing import Final

from laurel_ingest.domain import activity, snapshots
from laurel_ingest.domain.activity import Event, Handler
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.json_values import object_of, text_of
from laurel_ingest.domain.refusals import Skip
from laurel_ingest.domain.registers import Standing
from laurel_ingest.domain.webhook_frames import WebhookEvent
from laurel_ingest.domain.webhook_pushes import push


def findings_of(event: WebhookEvent) -> Findings:
    """What a delivery says about its repository, its default branch and kind always included.

    Raises MalformedError for a payload that is not what the event's type says.
    """
    found = Findings(Standing.WEBHOOK, event.at)
    if event.actor is not None:
        # Not credited by that, but a commit's private address may turn out to be theirs.
        found.meet(event.actor)
    HANDLERS[event.type](found, event, event.repository_id)
    snapshots.repository(found, object_of(event.payload, "repository"))
    return found


def _push(found: Findings, event: Event, repository_id: int) -> None:
    push(found, repository_id, event.payload)


def _repository(found: Findings, event: Event, _repository_id: int) -> None:
    """Its snapshot says all that counts; a deleted one keeps the signals that it had."""
    if text_of(event.payload, "action") == "deleted":
        found.left_out[Skip.UNCOUNTED_ACTION] += 1


HANDLERS: Final[dict[str, Handler]] = {
    "push": _push,
    "pull_request": activity.pull_request,
    "issues": activity.issues,
    "issue_comment": activity.issue_comment,
    "pull_request_review": activity.review,
    "pull_request_review_comment": activity.review_comment,
    "repository": _repository,
}
"""The events that signals or the directory depend on."""
