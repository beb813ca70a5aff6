"""How much of what GitHub has is known: gaps with their reasons, and a scope in one line."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Final

from laurel_ingest.domain.redelivery import LOST
from laurel_ingest.domain.refusals import Truncation


class GapReason(IntEnum):
    """Why something of a repository may be missing; the wire's numbers."""

    NEVER_READ = 1
    NO_ACCESS = 2
    PUSH_TRUNCATED = 3
    PUSH_WITHOUT_COMMITS = 4
    PULL_REQUEST_WITHOUT_AUTHOR = 5
    HISTORY_REWRITTEN = 6
    RATE_LIMITED = 7
    UNREADABLE = 8
    DELIVERY_LOST = 9


_LACKS: Final[Mapping[str, GapReason]] = {
    Truncation.PUSH_TRUNCATED: GapReason.PUSH_TRUNCATED,
    Truncation.PUSH_WITHOUT_COMMITS: GapReason.PUSH_WITHOUT_COMMITS,
    Truncation.PULL_REQUEST_WITHOUT_AUTHOR: GapReason.PULL_REQUEST_WITHOUT_AUTHOR,
    Truncation.HISTORY_REWRITTEN: GapReason.HISTORY_REWRITTEN,
    LOST: GapReason.DELIVERY_LOST,
}
_NO_ACCESS: Final = {
    *("GONE", "NAME_TAKEN", "TRANSFERRED", "GITHUB_REFUSED"),
    *("INSTALLATION_SUSPENDED", "INSTALLATION_NOT_FOUND", "APP_NOT_INSTALLED"),
}
_WORDS: Final = {
    GapReason.NEVER_READ: "never read",
    GapReason.NO_ACCESS: "without access",
    GapReason.PUSH_TRUNCATED: "with truncated pushes",
    GapReason.PUSH_WITHOUT_COMMITS: "with pushes without commits",
    GapReason.PULL_REQUEST_WITHOUT_AUTHOR: "with pull requests without authors",
    GapReason.HISTORY_REWRITTEN: "with a rewritten history",
    GapReason.RATE_LIMITED: "waiting for GitHub's rate limit",
    GapReason.UNREADABLE: "that GitHub fails at",
    GapReason.DELIVERY_LOST: "with lost webhooks",
}


@dataclass(frozen=True, slots=True)
class RepositoryState:
    """What runs and sources left of one repository.

    `trouble`: why the last run left it out. `lacks`: what sources told of without showing it, or
    GitHub could not deliver, since it was last read, and when. `known` of `total`: things of all
    kinds when it was last read whole; both 0 where it never was.
    """

    repository_id: int
    is_read: bool
    trouble: str | None = None
    lacks: Mapping[str, datetime] = field(default_factory=dict)
    is_waiting: bool = False
    known: int = 0
    total: int = 0

    def gaps(self) -> dict[GapReason, datetime | None]:
        """Why something may be missing, each with the time of the newest event that shows it."""
        found: dict[GapReason, datetime | None] = {}
        if self.trouble is not None:
            found[_reason_of(self.trouble)] = None
        elif not self.is_read:
            found[GapReason.NEVER_READ] = None
        if self.is_waiting:
            found[GapReason.RATE_LIMITED] = None
        for what, at in sorted(self.lacks.items()):
            found[_LACKS[what]] = at
        return found


@dataclass(frozen=True, slots=True)
class CoverageSummary:
    """A scope's repositories together; `gaps` counts repositories, the most frequent first."""

    repositories: int
    whole: int
    known: int
    total: int
    gaps: Mapping[GapReason, int]
    last_event_at: datetime | None

    def line(self) -> str:
        """The same for people to read."""
        if not self.repositories:
            return "nothing is known yet"
        if self.repositories == 1:
            parts = ["whole" if self.whole else "not whole"]
        else:
            parts = [f"{self.whole:,} of {self.repositories:,} repositories whole"]
        if self.total:
            parts[0] += f", {self.known:,} of {self.total:,} commits, pull requests and issues"
        if self.gaps and self.repositories == 1:
            parts.append(", ".join(_WORDS[reason] for reason in self.gaps))
        elif self.gaps:
            counted = (f"{count:,} {_WORDS[reason]}" for reason, count in self.gaps.items())
            parts.append(", ".join(counted))
        if self.last_event_at is not None:
            parts.append(f"last event {self.last_event_at:%Y-%m-%d %H:%M} UTC")
        return "; ".join(parts)


def summarize(states: Iterable[RepositoryState], last_event_at: datetime | None) -> CoverageSummary:
    """What of some repositories is known."""
    repositories = whole = known = total = 0
    gaps: Counter[GapReason] = Counter()
    for state in states:
        found = state.gaps()
        gaps.update(found.keys())
        repositories += 1
        whole += not found
        known += state.known
        total += state.total
    return CoverageSummary(
        repositories, whole, known, total, dict(gaps.most_common()), last_event_at
    )


def _reason_of(trouble: str) -> GapReason:
    if trouble in _NO_ACCESS:
        return GapReason.NO_ACCESS
    return GapReason.RATE_LIMITED if trouble == "GITHUB_RATE_LIMITED" else GapReason.UNREADABLE
