"""What happened in a simulated repository: commits, pull requests, issues, and talk about them."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha1

from tests.support.github.world import LONG_AGO, Repository, World


@dataclass
class Commit:
    """A commit; `authors`: (name, address, user id or None), the author first."""

    oid: str
    parents: list[str]
    authors: list[tuple[str, str, int | None]]
    authored_at: datetime
    message: str = "Do a thing"
    additions: int = 1
    deletions: int = 0
    pulls: list[int] = field(default_factory=list)


@dataclass
class Comment:
    """A comment on an issue, a pull request or a line; None wrote it: they are gone.

    `is_hidden`: GitHub counts it and can't show it.
    """

    id: int
    author_id: int | None
    created_at: datetime
    minimized_as: str | None = None
    is_hidden: bool = False
    updated_at: datetime | None = None


@dataclass
class Review:
    """A review; `submitted_as` is told where it was dismissed later."""

    id: int
    author_id: int | None
    state: str
    submitted_at: datetime | None
    comments: list[Comment] = field(default_factory=list)
    submitted_as: str | None = None


@dataclass
class Issue:
    """An issue; `closed_by` is (user id, closer: None, "PullRequest" or "Commit").

    `is_hidden`: GitHub counts it and can't show it.
    """

    number: int
    author_id: int | None
    created_at: datetime
    updated_at: datetime
    title: str = "It is broken"
    closed_at: datetime | None = None
    closed_by: tuple[int | None, str | None] | None = None
    labels: list[str] = field(default_factory=list)
    lock_reason: str | None = None
    comments: list[Comment] = field(default_factory=list)
    is_hidden: bool = False


@dataclass
class Pull(Issue):
    """A pull request; `closes` are issues that were linked by hand."""

    title: str = "Mend it"
    body: str = ""
    merged_at: datetime | None = None
    merged_by: int | None = None
    merge_commit: str | None = None
    reviews: list[Review] = field(default_factory=list)
    closes: list[int] = field(default_factory=list)


@dataclass
class Activity:
    """All of one repository. `head` is where the default branch points; None: it is empty."""

    commits: dict[str, Commit] = field(default_factory=dict)
    head: str | None = None
    pulls: dict[int, Pull] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    pushed_at: datetime = LONG_AGO

    def commit(self, name: str, at: datetime, *parents: str, **values: object) -> Commit:
        """Adds a commit whose oid is made of a name; on top of the head unless told, and heads."""
        behind = list(parents) or ([self.head] if self.head else [])
        made = Commit(oid_of(name), behind, [("Ann", "ann@example.com", None)], at)
        for key, value in values.items():
            setattr(made, key, value)
        self.commits[made.oid] = made
        self.head = made.oid
        self.pushed_at = at
        return made

    def history(self, head: str) -> list[Commit]:
        """Everything that can be reached from a commit, newest first, children before parents."""
        reached: dict[str, Commit] = {}
        waiting = [head]
        while waiting:
            oid = waiting.pop()
            if oid not in reached:
                reached[oid] = self.commits[oid]
                waiting += self.commits[oid].parents
        children = dict.fromkeys(reached, 0)
        for one in reached.values():
            for parent in one.parents:
                children[parent] += 1
        order, free = [], [head]
        while free:
            free.sort(key=lambda oid: (reached[oid].authored_at, oid))
            one = reached[free.pop()]
            order.append(one)
            for parent in one.parents:
                children[parent] -= 1
                if children[parent] == 0:
                    free.append(parent)
        return order


def oid_of(name: str) -> str:
    """The oid of a commit of that name."""
    return sha1(name.encode(), usedforsecurity=False).hexdigest()


def activity_of(world: World, repository: Repository) -> Activity:
    """The activity of a repository, made where there is none."""
    found = world.activities.setdefault(repository.id, Activity())
    assert isinstance(found, Activity)
    return found
