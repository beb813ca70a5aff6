"""What can happen in the demo's year, as plain values; shapes.py writes them as GitHub would."""

from dataclasses import dataclass
from datetime import datetime

from laurel_cli.demo.cast import Account, Repository


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit by its author."""

    sha: str
    author: Account
    message: str


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as it was opened."""

    id: int
    number: int
    repository: Repository
    author: Account
    title: str
    body: str
    labels: tuple[str, ...]
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as it was opened."""

    id: int
    number: int
    repository: Repository
    author: Account
    title: str
    body: str
    branch: str
    commits: tuple[Commit, ...]
    opened_at: datetime

    @property
    def head(self) -> str:
        """The SHA of its last commit."""
        return self.commits[-1].sha


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that an account did in a repository at a time."""

    at: datetime
    actor: Account
    repository: Repository


@dataclass(frozen=True, slots=True)
class Pushed(Happening):
    """Commits onto a branch."""

    branch: str
    commits: tuple[Commit, ...]


@dataclass(frozen=True, slots=True)
class BranchChanged(Happening):
    """A branch came or went."""

    branch: str
    created: bool


@dataclass(frozen=True, slots=True)
class Starred(Happening):
    """Somebody likes the repository: an event that is no signal."""


@dataclass(frozen=True, slots=True)
class PullRequestOpened(Happening):
    """A pull request begins."""

    pull_request: PullRequest


@dataclass(frozen=True, slots=True)
class PullRequestClosed(Happening):
    """A pull request ends, merged (with the commit that did it) or not."""

    pull_request: PullRequest
    merge_sha: str | None


@dataclass(frozen=True, slots=True)
class Reviewed(Happening):
    """A review was submitted; state is approved, changes_requested or commented."""

    pull_request: PullRequest
    review_id: int
    state: str


@dataclass(frozen=True, slots=True)
class ReviewCommented(Happening):
    """A remark on a line of a pull request."""

    pull_request: PullRequest
    review_id: int
    comment_id: int
    path: str
    body: str


@dataclass(frozen=True, slots=True)
class IssueOpened(Happening):
    """An issue begins."""

    issue: Issue


@dataclass(frozen=True, slots=True)
class IssueClosed(Happening):
    """An issue ends."""

    issue: Issue


@dataclass(frozen=True, slots=True)
class Commented(Happening):
    """A comment below an issue or a pull request."""

    thread: Issue | PullRequest
    comment_id: int
    body: str
