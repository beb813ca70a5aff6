"""What the simulated GraphQL shows of things: dictionaries whose callables take arguments."""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from tests.support.github.activity import Activity, Comment, Commit, Issue, Pull, Review
from tests.support.github.world import LONG_AGO, Account, Repository, World

Shape = dict[str, Any]
_GHOST_ID = 10137


def stamp(moment: datetime | None) -> str | None:
    """An instant in GitHub's words."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(*parts: object) -> str:
    """An opaque id of a thing."""
    return base64.b64encode(":".join(map(str, parts)).encode()).decode()


def connection(
    items: Sequence[Any],
    shape: Callable[[Any], Shape | None],
    cursor: Callable[[Any], str],
    *,
    first: int | None = None,
    last: int | None = None,
    after: str | None = None,
) -> Shape:
    """A page of items; one that has moved since is passed by its cursor's value."""
    start = 0
    if after is not None:
        key = base64.b64decode(after).decode()
        start = next((at for at, each in enumerate(items) if cursor(each) == key), -1) + 1
    chosen = items[start : start + first] if first is not None else items[-(last or 1) :]
    more = first is not None and start + first < len(items)
    end = base64.b64encode(cursor(chosen[-1]).encode()).decode() if chosen else None
    return {
        "totalCount": len(items),
        "pageInfo": {"hasNextPage": more, "endCursor": end},
        "nodes": [shape(each) for each in chosen],
    }


class Shapes:
    """Shapes of one repository's things."""

    def __init__(self, world: World, repository: Repository, activity: Activity) -> None:
        self._world = world
        self._repository = repository
        self._activity = activity

    def repository(self) -> Shape:
        """The repository itself."""
        one, activity = self._repository, self._activity
        branch = {"id": node_id("Ref", one.id), "name": one.default_branch}
        return {
            "__typename": "Repository",
            "id": node_id("Repository", one.id),
            "databaseId": one.id,
            "nameWithOwner": self._world.full_name(one),
            "isFork": one.fork,
            "isPrivate": one.private,
            "isEmpty": activity.head is None,
            "pushedAt": stamp(activity.pushed_at),
            "defaultBranchRef": None
            if activity.head is None
            else branch | {"target": self.commit(activity.commits[activity.head])},
            "object": lambda _info, oid: self._object(oid),
            "pullRequests": lambda _info, **page: self._listed(
                list(activity.pulls.values()), self.pull, **page
            ),
            "issues": lambda _info, **page: self._listed(
                list(activity.issues.values()), self.issue, **page
            ),
        }

    def _object(self, oid: str) -> Shape | None:
        known = self._activity.commits.get(oid)
        return None if known is None else self.commit(known)

    def _listed(
        self,
        items: list[Any],
        shape: Callable[[Any], Shape],
        orderBy: Shape,  # noqa: N803 - GitHub's name
        **page: Any,
    ) -> Shape:
        if orderBy["field"] == "UPDATED_AT":
            items.sort(key=lambda each: (each.updated_at, each.number))
        else:
            items.sort(key=lambda each: each.number)
        if orderBy["direction"] == "DESC":
            items.reverse()

        def shown(one: Any) -> Shape | None:
            return None if one.is_hidden else shape(one)

        return connection(items, shown, lambda each: str(each.number), **page)

    def commit(self, one: Commit) -> Shape:
        """A commit."""
        return {
            "__typename": "Commit",
            "id": node_id("Commit", one.oid),
            "oid": one.oid,
            "message": one.message,
            "additions": one.additions,
            "deletions": one.deletions,
            "authoredDate": stamp(one.authored_at),
            "parents": lambda _info, first: connection(
                [self._activity.commits[oid] for oid in one.parents],
                self.commit,
                lambda each: str(each.oid),
                first=first,
            ),
            "authors": lambda _info, first: connection(
                one.authors, self._git_actor, lambda each: str(each[1]), first=first
            ),
            "associatedPullRequests": lambda _info, first: connection(
                [self._activity.pulls[number] for number in one.pulls],
                self.pull,
                lambda each: str(each.number),
                first=first,
            ),
            "history": lambda _info, **page: self._history(one, **page),
        }

    def _history(self, one: Commit, since: str | None = None, **page: Any) -> Shape:
        found = self._activity.history(one.oid)
        if since is not None:
            found = [each for each in found if (stamp(each.authored_at) or "") >= since]
        return connection(found, self.commit, lambda each: str(each.oid), **page)

    def _git_actor(self, author: tuple[str, str, int | None]) -> Shape:
        name, email, user_id = author
        return {
            "name": name,
            "email": email,
            "avatarUrl": "https://avatars.invalid/g",
            "user": None if user_id is None else self.actor(user_id),
        }

    def actor(self, user_id: int | None) -> Shape | None:
        """Whoever did something; null once they are gone."""
        known: Account | None = self._world.accounts.get(user_id or 0)
        if known is None or known.id == _GHOST_ID:
            return None
        return {
            "__typename": known.type,
            "id": node_id("User", known.id),
            "databaseId": known.id,
            "login": known.login.removesuffix("[bot]") if known.type == "Bot" else known.login,
            "avatarUrl": f"https://avatars.invalid/u/{known.id}",
        }

    def _thing(self, one: Issue, kind: str) -> Shape:
        return {
            "__typename": kind,
            "id": node_id(kind, self._repository.id, one.number),
            "number": one.number,
            "title": one.title,
            "state": "OPEN" if one.closed_at is None else "CLOSED",
            "createdAt": stamp(one.created_at),
            "updatedAt": stamp(one.updated_at),
            "closedAt": stamp(one.closed_at),
            "activeLockReason": one.lock_reason,
            "author": self.actor(one.author_id),
            "repository": lambda _info: self.repository(),
            "labels": {
                "nodes": [{"id": node_id("Label", name), "name": name} for name in one.labels]
            },
            "comments": lambda _info, **page: self._comments(one.comments, "IssueComment", **page),
        }

    def issue(self, one: Issue) -> Shape:
        """An issue."""
        closings = []
        if one.closed_at is not None and one.closed_by is not None:
            user_id, closer = one.closed_by
            pulls = {"totalCount": 1, "nodes": []}
            kinds = {
                None: None,
                "Commit": {"__typename": "Commit", "associatedPullRequests": pulls},
                "PullRequest": {"__typename": "PullRequest"},
            }
            closings.append(
                {
                    "__typename": "ClosedEvent",
                    "createdAt": stamp(one.closed_at),
                    "actor": self.actor(user_id),
                    "closer": kinds[closer],
                }
            )
        return self._thing(one, "Issue") | {"timelineItems": {"nodes": closings}}

    def pull(self, one: Pull) -> Shape:
        """A pull request."""
        closed = "CLOSED" if one.closed_at else "OPEN"
        dismissed = [each for each in one.reviews if each.submitted_as is not None]
        linked = [self._activity.issues[number] for number in one.closes]
        return self._thing(one, "PullRequest") | {
            "body": one.body,
            "state": "MERGED" if one.merged_at else closed,
            "merged": one.merged_at is not None,
            "mergedAt": stamp(one.merged_at),
            "mergedBy": self.actor(one.merged_by),
            "mergeCommit": self._object(one.merge_commit) if one.merge_commit else None,
            "baseRepository": lambda _info: self.repository(),
            "closingIssuesReferences": {"nodes": [self.issue(each) for each in linked]},
            "timelineItems": {
                "nodes": [
                    {
                        "__typename": "ReviewDismissedEvent",
                        "previousReviewState": each.submitted_as,
                        "review": {"fullDatabaseId": str(each.id)},
                    }
                    for each in dismissed
                ]
            },
            "reviews": lambda _info, **page: connection(
                one.reviews, self.review, lambda each: str(each.id), **page
            ),
        }

    def review(self, one: Review) -> Shape:
        """A review."""
        return {
            "__typename": "PullRequestReview",
            "id": node_id("PullRequestReview", self._repository.id, one.id),
            "fullDatabaseId": str(one.id),
            "state": one.state,
            "submittedAt": stamp(one.submitted_at),
            "updatedAt": stamp(one.submitted_at or LONG_AGO),
            "author": self.actor(one.author_id),
            "comments": lambda _info, **page: self._comments(
                one.comments, "PullRequestReviewComment", **page
            ),
        }

    def _comments(self, comments: list[Comment], kind: str, **page: Any) -> Shape:
        def shape(one: Comment) -> Shape | None:
            return (
                None
                if one.is_hidden
                else {
                    "__typename": kind,
                    "id": node_id(kind, one.id),
                    "fullDatabaseId": str(one.id),
                    "createdAt": stamp(one.created_at),
                    "updatedAt": stamp(one.created_at),
                    "isMinimized": one.minimized_as is not None,
                    "minimizedReason": one.minimized_as,
                    "author": self.actor(one.author_id),
                }
            )

        return connection(comments, shape, lambda each: str(each.id), **page)
