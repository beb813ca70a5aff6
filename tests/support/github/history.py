"""Fills a simulated repository with a history of every kind, the same for the same seed."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.support.github.activity import (
    Activity,
    Comment,
    Issue,
    Pull,
    Review,
    activity_of,
    oid_of,
)
from tests.support.github.world import Account, Repository, World

BEGINNING = datetime(2025, 3, 1, 9, tzinfo=UTC)
_STATES = ("APPROVED", "CHANGES_REQUESTED", "COMMENTED")


@dataclass(frozen=True)
class Size:
    """How much there is of each kind; reviews and comments are of each pull request and issue."""

    commits: int = 12
    pulls: int = 6
    issues: int = 5
    reviews: int = 2
    comments: int = 3


def fill(
    world: World, repository: Repository, people: list[Account], size: Size | None = None
) -> Activity:
    """Makes commits (every third by two, every fifth a merge), pull requests, issues."""
    size = size or Size()
    draw = random.Random(repository.id)  # noqa: S311 - a story, no secret
    activity = activity_of(world, repository)
    now = BEGINNING
    ids = iter(range(repository.id * 100_000, repository.id * 100_000 + 99_999))

    def somebody() -> int:
        return draw.choice(people).id

    def comments(count: int) -> list[Comment]:
        return [
            Comment(next(ids), somebody(), now + timedelta(minutes=each + 1))
            for each in range(count)
        ]

    for number in range(1, size.issues + 1):
        now += timedelta(minutes=7)
        closed = now + timedelta(hours=1) if number % 2 else None
        closer = None if number % 3 else "PullRequest"
        activity.issues[number] = Issue(
            number,
            somebody(),
            now,
            closed or now,
            title=f"Issue {number}",
            closed_at=closed,
            closed_by=(somebody(), closer) if closed else None,
            comments=comments(size.comments),
        )
    for place in range(size.pulls):
        now += timedelta(minutes=11)
        number = size.issues + place + 1
        merged = now + timedelta(hours=2) if place % 3 else None
        reviews = [
            Review(
                next(ids), somebody(), draw.choice(_STATES), now + timedelta(minutes=5), comments(1)
            )
            for _ in range(size.reviews)
        ]
        activity.pulls[number] = Pull(
            number,
            somebody(),
            now,
            merged or now,
            title=f"Pull {number}",
            body=f"Fixes #{place + 1}" if place % 2 and place < size.issues else "",
            closed_at=merged or (now + timedelta(hours=3) if place % 2 else None),
            merged_at=merged,
            merged_by=somebody() if merged else None,
            reviews=reviews,
            comments=comments(size.comments),
        )
    merged_pulls = [each for each in activity.pulls.values() if each.merged_at]
    for place in range(size.commits):
        now += timedelta(minutes=3)
        author = draw.choice(people)
        authors: list[tuple[str, str, int | None]] = [
            (author.login, f"{author.login}@example.com", author.id)
        ]
        if place % 3 == 2:
            authors.append(("Mate", f"mate{place % 4}@example.com", None))
        pull = merged_pulls[place % len(merged_pulls)] if merged_pulls and place % 2 else None
        parents = [activity.head] if activity.head else []
        if place % 5 == 4:
            parents.append(oid_of(f"{repository.id}-{place - 2}"))
        made = activity.commit(
            f"{repository.id}-{place}",
            now,
            *parents,
            authors=authors,
            message=f"Commit {place}",
            additions=draw.randrange(200),
            deletions=draw.randrange(50),
            pulls=[pull.number] if pull else [],
        )
        if pull is not None and pull.merge_commit is None:
            pull.merge_commit = made.oid
    return activity
