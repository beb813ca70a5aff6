"""Happenings as GH Archive wrote them: the shapes of 2015, of 2021, and since October 2025.

2015 knows no reviews (only remarks on lines) and no display_login; since October 2025 a push
carries no commits, a pull request only its id, number and ends, and a merge is an action.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from laurel_cli.demo.cast import ORGANIZATION, Account, Repository
from laurel_cli.demo.events import (
    BranchChanged,
    Commented,
    Commit,
    Happening,
    Issue,
    IssueClosed,
    IssueOpened,
    PullRequest,
    PullRequestClosed,
    PullRequestOpened,
    Pushed,
    ReviewCommented,
    Reviewed,
    Starred,
)

API = "https://api.github.com"
_MAX_COMMITS = 20

type_of: Mapping[type[Happening], str] = {
    BranchChanged: "CreateEvent",
    Commented: "IssueCommentEvent",
    IssueClosed: "IssuesEvent",
    IssueOpened: "IssuesEvent",
    PullRequestClosed: "PullRequestEvent",
    PullRequestOpened: "PullRequestEvent",
    Pushed: "PushEvent",
    ReviewCommented: "PullRequestReviewCommentEvent",
    Reviewed: "PullRequestReviewEvent",
    Starred: "WatchEvent",
}


class Shape(Enum):
    """A generation of GH Archive's files."""

    OF_2015 = 2015
    OF_2021 = 2021
    SINCE_2025 = 2025


def knows(shape: Shape, happening: Happening) -> bool:
    """Whether files of that generation hold such an event at all."""
    return shape is not Shape.OF_2015 or not isinstance(happening, Reviewed)


def event(number: int, happening: Happening, shape: Shape, before: str) -> dict[str, Any]:
    """One line of a file; `number` is the event's id, `before` the tip that a push moves."""
    actor = {
        "id": happening.actor.id,
        "login": happening.actor.login,
        "display_login": happening.actor.login.removesuffix("[bot]"),
        "gravatar_id": "",
        "url": f"{API}/users/{happening.actor.login}",
        "avatar_url": happening.actor.avatar_url,
    }
    if shape is Shape.OF_2015:
        del actor["display_login"]
    repository, kind = happening.repository, type_of[type(happening)]
    if isinstance(happening, BranchChanged) and not happening.created:
        kind = "DeleteEvent"
    return {
        "id": str(number),
        "type": kind,
        "actor": actor,
        "repo": _named(repository),
        "payload": _payload(happening, shape, before),
        "public": True,
        "created_at": _time(happening.at),
        "org": {
            "id": ORGANIZATION.id,
            "login": ORGANIZATION.login,
            "gravatar_id": "",
            "url": f"{API}/orgs/{ORGANIZATION.login}",
            "avatar_url": ORGANIZATION.avatar_url,
        },
    }


def _payload(happening: Happening, shape: Shape, before: str) -> dict[str, Any]:
    found: dict[str, Any]
    match happening:
        case Pushed():
            found = _push(happening, shape, before)
        case BranchChanged():
            found = {"ref": happening.branch, "ref_type": "branch", "pusher_type": "user"}
        case PullRequestOpened(pull_request=opened):
            body = _pull_request(opened, shape, at=happening.at)
            found = {"action": "opened", "number": opened.number, "pull_request": body}
        case PullRequestClosed():
            found = _pull_request_closed(happening, shape)
        case Reviewed():
            found = _review(happening, shape)
        case ReviewCommented():
            found = _review_comment(happening, shape)
        case IssueOpened(issue=issue):
            found = {"action": "opened", "issue": _issue(issue, at=happening.at)}
        case IssueClosed(issue=issue):
            found = {"action": "closed", "issue": _issue(issue, at=happening.at, closed=True)}
        case Commented():
            found = _comment(happening)
        case _:
            found = {"action": "started"}
    return found


def _push(push: Pushed, shape: Shape, before: str) -> dict[str, Any]:
    head = push.commits[-1].sha
    payload: dict[str, Any] = {
        "repository_id": push.repository.id,
        "push_id": push.repository.id + int(head[:8], 16),
        "ref": f"refs/heads/{push.branch}",
        "head": head,
        "before": before,
    }
    if shape is Shape.SINCE_2025:
        return payload
    del payload["repository_id"]
    commits = [_commit(each, push.repository) for each in push.commits[-_MAX_COMMITS:]]
    return payload | {
        "size": len(push.commits),
        "distinct_size": len(push.commits),
        "commits": commits,
    }


def _commit(commit: Commit, repository: Repository) -> dict[str, Any]:
    return {
        "sha": commit.sha,
        "author": {"name": commit.author.name, "email": hashed_email(commit.author)},
        "message": commit.message,
        "distinct": True,
        "url": f"{API}/repos/{repository.full_name}/commits/{commit.sha}",
    }


def hashed_email(account: Account) -> str:
    """An account's noreply address as GH Archive gives it away: SHA-1 of the local part."""
    local = f"{account.id}+{account.login}".encode()
    return f"{hashlib.sha1(local, usedforsecurity=False).hexdigest()}@users.noreply.github.com"


def _pull_request(
    pull_request: PullRequest,
    shape: Shape,
    *,
    at: datetime,
    closed: bool = False,
    merge_sha: str | None = None,
) -> dict[str, Any]:
    repository = pull_request.repository
    url = f"{API}/repos/{repository.full_name}/pulls/{pull_request.number}"
    ends = {
        "head": {"ref": pull_request.branch, "sha": pull_request.head, "repo": _brief(repository)},
        "base": {"ref": repository.default_branch, "sha": _ZERO, "repo": _brief(repository)},
    }
    thin = {"id": pull_request.id, "number": pull_request.number, "url": url, **ends}
    if shape is Shape.SINCE_2025:
        return thin
    ended = _time(at) if closed else None
    return thin | {
        "html_url": f"https://github.com/{repository.full_name}/pull/{pull_request.number}",
        "state": "closed" if closed else "open",
        "locked": False,
        "title": pull_request.title,
        "user": _user(pull_request.author),
        "body": pull_request.body,
        "created_at": _time(pull_request.opened_at),
        "updated_at": _time(at),
        "closed_at": ended,
        "merged_at": ended if merge_sha else None,
        "merge_commit_sha": merge_sha,
    }


def _pull_request_closed(closed: PullRequestClosed, shape: Shape) -> dict[str, Any]:
    number, merged = closed.pull_request.number, closed.merge_sha is not None
    found = _pull_request(
        closed.pull_request, shape, at=closed.at, closed=True, merge_sha=closed.merge_sha
    )
    if shape is Shape.SINCE_2025:
        return {
            "action": "merged" if merged else "closed",
            "number": number,
            "pull_request": found,
        }
    found |= {
        "merged": merged,
        "merged_by": _user(closed.actor) if merged else None,
        "commits": len(closed.pull_request.commits),
    }
    return {"action": "closed", "number": number, "pull_request": found}


def _review(review: Reviewed, shape: Shape) -> dict[str, Any]:
    return {
        "action": "created",
        "review": {
            "id": review.review_id,
            "user": _user(review.actor),
            "body": None,
            "commit_id": review.pull_request.head,
            "submitted_at": _time(review.at),
            "state": review.state,
        },
        "pull_request": _pull_request(review.pull_request, shape, at=review.at),
    }


def _review_comment(remark: ReviewCommented, shape: Shape) -> dict[str, Any]:
    comment: dict[str, Any] = {
        "id": remark.comment_id,
        "path": remark.path,
        "commit_id": remark.pull_request.head,
        "user": _user(remark.actor),
        "body": remark.body,
        "created_at": _time(remark.at),
        "updated_at": _time(remark.at),
    }
    if shape is not Shape.OF_2015:
        comment["pull_request_review_id"] = remark.review_id
    found = _pull_request(remark.pull_request, shape, at=remark.at)
    return {"action": "created", "comment": comment, "pull_request": found}


def _issue(issue: Issue, *, at: datetime, closed: bool = False) -> dict[str, Any]:
    return {
        "id": issue.id,
        "number": issue.number,
        "title": issue.title,
        "user": _user(issue.author),
        "labels": [{"name": name} for name in issue.labels],
        "state": "closed" if closed else "open",
        "locked": False,
        "created_at": _time(issue.opened_at),
        "updated_at": _time(at),
        "closed_at": _time(at) if closed else None,
        "body": issue.body,
    }


def _comment(comment: Commented) -> dict[str, Any]:
    thread = comment.thread
    if isinstance(thread, Issue):
        issue = _issue(thread, at=comment.at)
    else:
        issue = {
            "id": thread.id,
            "number": thread.number,
            "title": thread.title,
            "user": _user(thread.author),
            "state": "open",
            "created_at": _time(thread.opened_at),
            "pull_request": {"url": f"{API}/repos/{thread.repository.full_name}/pulls"},
        }
    return {
        "action": "created",
        "issue": issue,
        "comment": {
            "id": comment.comment_id,
            "user": _user(comment.actor),
            "created_at": _time(comment.at),
            "updated_at": _time(comment.at),
            "body": comment.body,
        },
    }


_ZERO = "0" * 40


def _user(account: Account) -> dict[str, Any]:
    return {
        "login": account.login,
        "id": account.id,
        "avatar_url": account.avatar_url,
        "type": "Bot" if account.is_bot else "User",
        "site_admin": False,
    }


def _named(repository: Repository) -> dict[str, Any]:
    name = repository.full_name
    return {"id": repository.id, "name": name, "url": f"{API}/repos/{name}"}


def _brief(repository: Repository) -> dict[str, Any]:
    url = f"{API}/repos/{repository.full_name}"
    return {"id": repository.id, "name": repository.name, "url": url}


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
