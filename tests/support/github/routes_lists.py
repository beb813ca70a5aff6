"""What REST lists of a repository: commits, pull requests, issues, comments on either."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from aiohttp import web

from tests.support.github import shapes
from tests.support.github.activity import Activity, Comment, Commit, Issue, Pull, activity_of
from tests.support.github.answers import GitHubError, page
from tests.support.github.context import world_of
from tests.support.github.routes_repositories import named_repository
from tests.support.github.world import Account, World

ROUTES = web.RouteTableDef()
Shape = dict[str, Any]


@ROUTES.get("/repos/{login}/{name}/commits")
async def list_commits(request: web.Request) -> web.Response:
    world, activity = _asked(request)
    if activity.head is None:
        raise GitHubError(409, "Git Repository is empty.")
    return page(request, activity.history(activity.head), lambda one: _commit(world, one))


@ROUTES.get("/repos/{login}/{name}/pulls")
async def list_pulls(request: web.Request) -> web.Response:
    world, activity = _asked(request)
    return page(request, _newest(request, activity.pulls.values()), lambda one: _pull(world, one))


@ROUTES.get("/repos/{login}/{name}/issues")
async def list_issues(request: web.Request) -> web.Response:
    """Pull requests are issues, too."""
    world, activity = _asked(request)
    if not named_repository(request).has_issues:
        raise GitHubError(410, "Issues are disabled for this repo")
    both = [*activity.issues.values(), *activity.pulls.values()]
    return page(request, _newest(request, both), lambda one: _issue(world, one))


@ROUTES.get("/repos/{login}/{name}/issues/comments")
async def list_comments(request: web.Request) -> web.Response:
    world, activity = _asked(request)
    both = [*activity.issues.values(), *activity.pulls.values()]
    comments = [comment for thing in both for comment in thing.comments]
    return page(request, _newest(request, comments), lambda one: _comment(world, one))


@ROUTES.get("/repos/{login}/{name}/pulls/comments")
async def list_review_comments(request: web.Request) -> web.Response:
    world, activity = _asked(request)
    comments = list(_review_comments(activity))
    return page(request, _newest(request, comments), lambda one: _comment(world, one))


def _asked(request: web.Request) -> tuple[World, Activity]:
    world = world_of(request)
    return world, activity_of(world, named_repository(request))


def _newest(request: web.Request, items: Any) -> list[Any]:
    """In the order that is asked for; what GitHub can't show is in no list."""
    assert (request.query["sort"], request.query["direction"]) == ("updated", "desc")
    shown = [each for each in items if not getattr(each, "is_hidden", False)]
    return sorted(shown, key=_updated_at, reverse=True)


def _updated_at(one: Issue | Comment) -> tuple[datetime, int]:
    if isinstance(one, Comment):
        return one.updated_at or one.created_at, one.id
    return one.updated_at, one.number


def _review_comments(activity: Activity) -> Iterator[Comment]:
    for pull in activity.pulls.values():
        for review in pull.reviews:
            yield from review.comments


def _account(world: World, user_id: int | None) -> Shape | None:
    known: Account | None = world.accounts.get(user_id or 0)
    return None if known is None else shapes.account(known)


def _commit(world: World, one: Commit) -> Shape:
    name, email, user_id = one.authors[0]
    return {
        "sha": one.oid,
        "commit": {
            "message": one.message,
            "author": {"name": name, "email": email, "date": shapes.stamp(one.authored_at)},
        },
        "author": _account(world, user_id),
        "parents": [{"sha": oid} for oid in one.parents],
    }


def _issue(world: World, one: Issue) -> Shape:
    return {
        "number": one.number,
        "title": one.title,
        "state": "open" if one.closed_at is None else "closed",
        "user": _account(world, one.author_id),
        "labels": [{"name": name} for name in one.labels],
        "locked": one.lock_reason is not None,
        "active_lock_reason": one.lock_reason and one.lock_reason.lower(),
        "comments": len(one.comments),
        "created_at": shapes.stamp(one.created_at),
        "updated_at": shapes.stamp(one.updated_at),
        "closed_at": shapes.stamp(one.closed_at),
    }


def _pull(world: World, one: Pull) -> Shape:
    told = _issue(world, one)
    del told["comments"]  # GitHub counts them of a single one alone
    return told | {
        "body": one.body,
        "merged_at": shapes.stamp(one.merged_at),
        "merge_commit_sha": one.merge_commit,
    }


def _comment(world: World, one: Comment) -> Shape:
    """Whether it is minimized, and why, REST does not tell."""
    return {
        "id": one.id,
        "user": _account(world, one.author_id),
        "created_at": shapes.stamp(one.created_at),
        "updated_at": shapes.stamp(one.updated_at or one.created_at),
    }
