"""What runs need of GitHub, and how it can fail them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from laurel_common.errors import LaurelError, RetryableError
from laurel_ingest.domain.history.newest import Etags, Glance
from laurel_ingest.domain.json_values import JsonObject


class GitHubUnavailable(RetryableError):
    """GitHub can't be reached, fails, or does not answer in time."""

    reason = "GITHUB_UNAVAILABLE"
    default_message = "GitHub can't be reached or does not answer"


class GitHubRefused(LaurelError):
    """GitHub refuses the token, or what it is used for."""

    reason = "GITHUB_REFUSED"
    default_message = "GitHub refuses the request"


class GitHubRateLimited(LaurelError):
    """Nothing more may be asked before `until`.

    `is_refusal`: GitHub says so, to all of the installation; else it is what is kept back for
    others.
    """

    reason = "GITHUB_RATE_LIMITED"
    default_message = "GitHub's rate limit is used up"

    def __init__(self, until: datetime, *, is_refusal: bool = True) -> None:
        super().__init__()
        self.until = until
        self.is_refusal = is_refusal


class TooHeavyError(Exception):
    """GitHub gave up on a page; a smaller one may be answered."""


class GoneError(Exception):
    """What was asked for is not there for this installation: deleted, moved or made private."""


class Listing(StrEnum):
    """Lists that come in pages."""

    COMMITS = "commits"
    PULLS = "pulls"
    ISSUES = "issues"
    MORE_REVIEWS = "more_reviews"
    MORE_REVIEW_COMMENTS = "more_review_comments"
    MORE_COMMENTS = "more_comments"
    PULL_NUMBERS = "pull_numbers"
    ISSUE_NUMBERS = "issue_numbers"
    ALL_PULLS = "all_pulls"
    ALL_ISSUES = "all_issues"


@dataclass(frozen=True, slots=True)
class Points:
    """What an answer cost, and what is left of the hour that ends at `reset_at`."""

    cost: int
    limit: int
    remaining: int
    reset_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list. `after` is None on the last one; `total` 0 where GitHub counts none.

    `repository_id`: of the repository that has the name now; None where a node was asked.
    `has_gaps`: there are things that GitHub can't show.
    """

    nodes: Sequence[JsonObject]
    after: str | None
    total: int
    points: Points
    repository_id: int | None = None
    has_gaps: bool = False


class GitHubHistory(Protocol):
    """GitHub's GraphQL, as an installation.

    Raises GitHubRateLimited, GitHubUnavailable, GitHubRefused, TooHeavyError; GoneError for a page
    of a repository or of a head that is not there; and what minting a token may end in.
    """

    async def probe(
        self, installation_id: int, full_names: Sequence[str]
    ) -> tuple[list[JsonObject | None], Points]:
        """What is new in each repository, in order; None where it is not there."""
        ...

    async def page(
        self, installation_id: int, listing: Listing, variables: Mapping[str, Any]
    ) -> Page:
        """A page of a list; an empty one with gaps of a thing that is not there."""
        ...


class GitHubLists(Protocol):
    """The newest pages of GitHub's REST lists, as an installation.

    Raises GitHubRateLimited where GitHub asks for silence, and what minting a token may end in.
    """

    async def mark(self, installation_id: int) -> str:
        """Which token would be asked with now."""
        ...

    async def glance(
        self, installation_id: int, full_name: str, held: Etags | None, *, anyway: bool
    ) -> tuple[Glance | None, int]:
        """The newest pages of a repository, and how many requests that took.

        ETags that were given to another token are not sent. Then nothing is asked, and None
        answered, unless `anyway`. Whatever goes wrong with a list is no more than no answer to it.
        """
        ...


class InstallationTokens(Protocol):
    """Tokens for GitHub, as identity mints them."""

    async def token(self, installation_id: int, *, refused: str = "") -> str:
        """One that is good for some minutes, and not `refused`, which GitHub does not take.

        Raises RemoteError (APP_NOT_INSTALLED, INSTALLATION_SUSPENDED, GITHUB_…) and
        DependencyUnavailable.
        """
        ...
