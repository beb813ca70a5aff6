"""GH Archive events, git records and signals with defaults."""

import hashlib
from collections.abc import Sequence
from itertools import count
from typing import Any

import orjson

from laurel.ingest.v1 import signal_entities_pb2

ACCOUNT_ID, REPOSITORY_ID = 7_000, 500
INSTALLATION_ID = -ACCOUNT_ID
FULL_NAME = "acme/rocket"
_numbers = count(1)

ALICE = {"id": 1, "login": "alice", "type": "User"}
BOB = {"id": 2, "login": "bob", "type": "User"}
ROBOT = {"id": 3, "login": "robot[bot]", "type": "Bot"}


def sha(seed: object) -> str:
    """A commit's name made of anything."""
    return hashlib.sha1(str(seed).encode(), usedforsecurity=False).hexdigest()


def event(
    event_type: str, payload: dict[str, Any], *, at: str = "2021-05-03T10:00:00Z", **changes: Any
) -> dict[str, Any]:
    """An event of alice's in acme/rocket."""
    return {
        "id": str(next(_numbers)),
        "type": event_type,
        "actor": ALICE,
        "repo": {"id": REPOSITORY_ID, "name": FULL_NAME},
        "org": {"id": ACCOUNT_ID, "login": "acme"},
        "payload": payload,
        "public": True,
        "created_at": at,
        **changes,
    }


def commit(seed: object, message: str = "Work", email: str = "a@example.com") -> dict[str, Any]:
    """A commit as a push shows it."""
    author = {"email": email, "name": email.partition("@")[0]}
    return {"sha": sha(seed), "author": author, "message": message, "distinct": True}


def push(*commits: dict[str, Any], ref: str = "refs/heads/main", **changes: Any) -> dict[str, Any]:
    """A push."""
    size = changes.pop("size", len(commits))
    return event("PushEvent", {"ref": ref, "size": size, "commits": list(commits)}, **changes)


def pull(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A pull request of bob's."""
    return {
        "id": 10_000 + number,
        "number": number,
        "user": BOB,
        "title": f"Pull {number}",
        "body": "",
        "created_at": "2021-05-02T09:00:00Z",
        "merged": False,
        **changes,
    }


def pull_event(action: str, pull_request: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Something that happened to a pull request."""
    return event("PullRequestEvent", {"action": action, "pull_request": pull_request}, **changes)


def issue(number: int = 7, **changes: Any) -> dict[str, Any]:
    """An issue of bob's."""
    return {
        "id": 20_000 + number,
        "number": number,
        "user": BOB,
        "title": f"Issue {number}",
        "created_at": "2021-05-01T08:00:00Z",
        "labels": [],
        **changes,
    }


def issue_event(action: str, source: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Something that happened to an issue."""
    return event("IssuesEvent", {"action": action, "issue": source}, **changes)


def lines_of(events: Sequence[dict[str, Any]]) -> list[bytes]:
    """Events as a file has them."""
    return [orjson.dumps(each) for each in events]


def record(seed: object, parents: Sequence[object] = (), **changes: Any) -> dict[str, Any]:
    """A commit as `git log` tells it."""
    return {
        "sha": sha(seed),
        "parents": [sha(each) for each in parents],
        "author": {"name": "a", "email": "a@example.com"},
        "authored_at": "2021-05-01T10:00:00+02:00",
        "message": "Work",
        "additions": 7,
        "deletions": 2,
        **changes,
    }


def new_signal(identity: str = "1", **changes: Any) -> signal_entities_pb2.NewSignal:
    """A comment of user 1 in repository 500."""
    values: dict[str, Any] = {
        "user_id": 1,
        "repository_id": REPOSITORY_ID,
        "type": 9,
        "event_time": {"seconds": 1_620_036_000},
        "identity": identity,
        **changes,
    }
    return signal_entities_pb2.NewSignal(**values)
