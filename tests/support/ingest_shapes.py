"""One repository's things as webhooks and GH Archive show them."""

from copy import deepcopy
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from tests.support.github.activity import Comment, Commit, Issue, Pull, Review
from tests.support.github.graphql_shapes import stamp
from tests.support.github.world import Repository, World

Shape = dict[str, Any]
_numbers = count(1)
# Users whom the world does not have any more.
_GONE = {4: "dave"}


class Shapes:
    """Shapes of what the activity is right now."""

    def __init__(self, world: World, repository: Repository) -> None:
        self._world = world
        self._repository = repository

    def who(self, user_id: int) -> Shape:
        """An account as REST shows it."""
        known = self._world.accounts.get(user_id)
        return {
            "id": user_id,
            "login": known.login if known else _GONE[user_id],
            "type": known.type if known else "User",
        }

    def repository(self, **changes: Any) -> Shape:
        """The repository."""
        owner = self._world.accounts[self._repository.owner_id]
        return {
            "id": self._repository.id,
            "full_name": self._world.full_name(self._repository),
            "owner": {"id": owner.id, "login": owner.login, "type": owner.type},
            "private": False,
            "fork": False,
            "default_branch": "main",
            **changes,
        }

    def _payload(self, actor: int, **things: Any) -> Shape:
        return {"repository": self.repository(), "sender": self.who(actor), **things}

    def _thing(self, one: Issue) -> Shape:
        return {
            "id": 10_000 + one.number,
            "number": one.number,
            "title": one.title,
            "user": self.who(one.author_id or 0),
            "labels": [{"name": name} for name in one.labels],
            "created_at": stamp(one.created_at),
            "updated_at": stamp(one.updated_at),
            "closed_at": stamp(one.closed_at),
        }

    def _pull(self, one: Pull) -> Shape:
        return self._thing(one) | {
            "body": one.body,
            "merged": one.merged_at is not None,
            "merged_at": stamp(one.merged_at),
            "merged_by": self.who(one.merged_by) if one.merged_by else None,
            "merge_commit_sha": one.merge_commit,
            "base": {"repo": self.repository()},
        }

    def pull_event(self, action: str, one: Pull, actor: int) -> Shape:
        """`pull_request`."""
        return self._payload(actor, action=action, pull_request=self._pull(one))

    def issue_event(self, action: str, one: Issue, actor: int) -> Shape:
        """`issues`."""
        return self._payload(actor, action=action, issue=self._thing(one))

    def comment_event(self, action: str, one: Issue, comment: Comment, actor: int) -> Shape:
        """`issue_comment`."""
        return self._payload(
            actor, action=action, issue=self._thing(one), comment=self._said(comment)
        )

    def review_event(self, action: str, one: Pull, review: Review, actor: int) -> Shape:
        """`pull_request_review`, whose pull request is shown without what became of it."""
        shown = {
            "id": review.id,
            "user": self.who(review.author_id or 0),
            "state": review.state.lower(),
            "submitted_at": stamp(review.submitted_at),
        }
        return self._payload(actor, action=action, review=shown, pull_request=self._brief(one))

    def line_event(self, action: str, one: Pull, comment: Comment, actor: int) -> Shape:
        """`pull_request_review_comment`."""
        shown = self._said(comment)
        return self._payload(actor, action=action, comment=shown, pull_request=self._brief(one))

    def _brief(self, one: Pull) -> Shape:
        shown = self._pull(one)
        return {name: shown[name] for name in shown if not name.startswith("merge")}

    def _said(self, comment: Comment) -> Shape:
        return {
            "id": comment.id,
            "user": self.who(comment.author_id or 0),
            "created_at": stamp(comment.created_at),
            "updated_at": stamp(comment.created_at),
        }

    def push_event(self, one: Commit, at: datetime, before: str | None) -> Shape:
        """`push` of one commit; `before`: the head that was forced away."""
        (name, email, user_id), *mates = one.authors
        author = {"name": name, "email": email}
        if user_id is not None:
            author["username"] = str(self.who(user_id)["login"])
        commit = {
            "id": one.oid,
            "message": _with_trailers(one.message, mates),
            "timestamp": stamp(one.authored_at),
            "author": author,
        }
        return self._payload(
            1,
            ref="refs/heads/main",
            before=before or "0" * 40,
            after=one.oid,
            deleted=False,
            forced=before is not None,
            commits=[commit],
            head_commit=commit,
        ) | {"repository": self.repository(pushed_at=int(at.timestamp()))}

    def archived_push(self, one: Commit, at: datetime) -> Shape:
        """PushEvent: no times of commits, and nothing of what a forced push threw away."""
        (name, email, _), *mates = one.authors
        commit = {
            "sha": one.oid,
            "message": _with_trailers(one.message, mates),
            "author": {"name": name, "email": email},
            "distinct": True,
        }
        payload = {"ref": "refs/heads/main", "size": 1, "commits": [commit]}
        return self.archived("PushEvent", payload | {"sender": self.who(1)}, at)

    def archived(self, kind: str, payload: Shape, at: datetime) -> Shape:
        """The event that the archive writes down a moment after something happened."""
        told = deepcopy({name: payload[name] for name in payload if name != "repository"})
        actor = told.pop("sender")
        return {
            "id": str(next(_numbers)),
            "type": kind,
            "actor": actor,
            "repo": {
                "id": self._repository.id,
                "name": self._world.full_name(self._repository),
            },
            "org": {"id": self._repository.owner_id, "login": "acme"},
            "payload": told,
            "public": True,
            "created_at": stamp(at + timedelta(seconds=2)),
        }


def as_of_late(event: Shape) -> Shape:
    """An event of the archive in the shape that it has since October 2025."""
    lean = deepcopy(event)
    payload = lean["payload"]
    if "pull_request" in payload:
        pull = payload["pull_request"]
        if payload["action"] == "closed" and pull.get("merged"):
            payload["action"] = "merged"
        payload["pull_request"] = {
            "id": pull["id"],
            "number": pull["number"],
            "base": {"repo": {"id": pull["base"]["repo"]["id"]}},
        }
    return lean


def _with_trailers(message: str, mates: list[tuple[str, str, int | None]]) -> str:
    return "\n\n".join(
        [message, *(f"Co-authored-by: {name} <{email}>" for name, email, _ in mates)]
    )
