"""Webhooks with defaults, and the webhook that tells what an event of GH Archive tells."""

import hashlib
import hmac
from itertools import count
from typing import Any

import orjson

from laurel.ingest.v1 import webhook_pb2
from laurel_common.errors import RemoteError
from laurel_ingest.domain.timestamps import epoch_seconds
from laurel_ingest.domain.webhook_frames import WebhookEvent, read_webhook
from tests.support.ingest_builders import ACCOUNT_ID, ALICE, FULL_NAME, REPOSITORY_ID, sha

RECEIVED_AT = epoch_seconds("2021-05-04T12:00:00Z")
PUSHED_AT = epoch_seconds("2021-05-03T10:00:00Z")
REAL_INSTALLATION = 77

SECRETS = ("the-secret-of-before", "the-secret-from-now-on")
_numbers = count(1)

_EVENTS = {
    "PushEvent": "push",
    "PullRequestEvent": "pull_request",
    "IssuesEvent": "issues",
    "IssueCommentEvent": "issue_comment",
    "PullRequestReviewEvent": "pull_request_review",
    "PullRequestReviewCommentEvent": "pull_request_review_comment",
    "CreateEvent": "create",
}


def repository(**changes: Any) -> dict[str, Any]:
    """acme/rocket as a webhook shows it; times are numbers in pushes alone."""
    return {
        "id": REPOSITORY_ID,
        "full_name": FULL_NAME,
        "owner": {"login": "acme", "id": ACCOUNT_ID, "type": "Organization"},
        "private": False,
        "fork": False,
        "default_branch": "main",
        "pushed_at": PUSHED_AT,
        **changes,
    }


def payload(**things: Any) -> dict[str, Any]:
    """A payload of alice's doing in acme/rocket."""
    return {
        "repository": repository(),
        "sender": ALICE,
        "installation": {"id": REAL_INSTALLATION},
        **things,
    }


def hook_commit(seed: object, message: str = "Work", **author: Any) -> dict[str, Any]:
    """A commit as a push's webhook shows it."""
    return {
        "id": sha(seed),
        "message": message,
        "timestamp": "2021-05-03T11:59:00+02:00",
        "author": {"email": "a@example.com", "name": "a", **author},
        "distinct": True,
    }


def hook_push(
    *commits: dict[str, Any], ref: str = "refs/heads/main", **changes: Any
) -> dict[str, Any]:
    """A push's payload."""
    head = commits[-1] if commits else None
    return (
        payload(
            ref=ref,
            before=sha("before"),
            after=head.get("id") if head else sha("after"),
            created=False,
            deleted=False,
            forced=False,
            commits=list(commits),
            head_commit=head,
        )
        | changes
    )


def read(event_type: str, source: Any) -> WebhookEvent:
    """The frame of a payload that has just come in."""
    return read_webhook(event_type, source, RECEIVED_AT)


def as_webhook(event: dict[str, Any], branch: str = "main") -> tuple[str, dict[str, Any]] | None:
    """(event, payload) of what an event of GH Archive is about; None where GitHub sends none."""
    kind, told = _EVENTS[event["type"]], {**event["payload"]}
    if kind == "create":
        return None
    at = event["created_at"]
    base = told.get("pull_request", {}).get("base", {}).get("repo")
    changes = {"pushed_at": epoch_seconds(at), "default_branch": (base or {}).get("default_branch")}
    if kind == "push":
        changes["default_branch"] = branch
        told["commits"] = [
            {**{k: v for k, v in each.items() if k != "sha"}, "id": each["sha"]}
            for each in told["commits"]
        ]
        told["head_commit"] = told["commits"][-1]
    for name in ("pull_request", "issue", "comment", "review"):
        if name in told:
            told[name] = {**told[name], "updated_at": at}
    if told.get("action") == "merged":
        # GitHub has never sent it as a webhook.
        return None
    return kind, payload(**told) | {"sender": event["actor"], "repository": repository(**changes)}


def delivered(
    event: str, body: object, *, secret: str = SECRETS[0], delivery_id: str = "", **headers: str
) -> webhook_pb2.ReceiveWebhookRequest:
    """A delivery as the gateway passes it on; `body` is JSON to be, or bytes as they are."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    signature = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return webhook_pb2.ReceiveWebhookRequest(
        headers={
            "X-GitHub-Delivery": delivery_id or f"delivery-{next(_numbers)}",
            "X-GitHub-Event": event,
            "X-Hub-Signature-256": f"sha256={signature}",
            **headers,
        },
        body=raw,
    )


class RecordedScoring:
    """Scoring as ingest sees it: remembers whom it was asked for, and can be away."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.away = False

    async def start(self, installation_id: int) -> None:
        if self.away:
            raise RemoteError("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE", "away")
        self.asked.append(installation_id)


class RecordedIdentity:
    """Identity as ingest hands events on to it: remembers them, and refuses as it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bytes]] = []
        self.refusal: RemoteError | None = None

    async def hand_on(self, event: str, body: bytes) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.told.append((event, body))
