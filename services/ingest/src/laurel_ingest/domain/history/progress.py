"""How a repository is read, page by page: where the next one begins, and what comes after it."""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final

from laurel_ingest.domain.history.commits import TO_THE_END, Walk
from laurel_ingest.domain.history.newest import Etags, Glance
from laurel_ingest.domain.json_values import JsonObject
from laurel_ingest.domain.timestamps import epoch_seconds


class Phase(StrEnum):
    """What is read, in this order; numbers only where GitHub counts other ones than we.

    After the commits of a whole branch follow those that are not on it any more. A repository that
    is looked through is read from `all_pulls` on instead; `unseen` are things that it did not show.
    """

    COMMITS = "commits"
    LOST_COMMITS = "lost_commits"
    PULLS = "pulls"
    ISSUES = "issues"
    PULL_NUMBERS = "pull_numbers"
    ISSUE_NUMBERS = "issue_numbers"
    ALL_PULLS = "all_pulls"
    ALL_ISSUES = "all_issues"
    UNSEEN = "unseen"
    END = "end"


PAGE_SIZES: Final = {
    Phase.COMMITS: 50,
    Phase.PULLS: 30,
    Phase.ISSUES: 50,
    Phase.PULL_NUMBERS: 100,
    Phase.ISSUE_NUMBERS: 100,
    Phase.ALL_PULLS: 30,
    Phase.ALL_ISSUES: 50,
}
_ORDER: Final = list(Phase)

DOUBT: Final = 60
"""Seconds by which GitHub's clock and ours may differ, and its answers be behind its webhooks."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the last complete run left of a repository. Times are epoch seconds.

    `lost_at`: when the last webhook about it failed that GitHub could not deliver. `rewritten_at`:
    when, by the last word of a webhook, another history was forced onto the default branch.
    `pr_ids_hash`: of the numbers of the pull requests that stood and were made until `pulls_until`.
    """

    head_sha: str | None = None
    walked_at: int | None = None
    pulls_until: int | None = None
    issues_until: int | None = None
    pulls_total: int | None = None
    issues_total: int | None = None
    looked_through_at: int | None = None
    lost_at: int | None = None
    pr_ids_hash: str | None = None
    etags: Etags | None = None
    etags_at: int | None = None
    rewritten_at: int | None = None

    @property
    def is_rewritten(self) -> bool:
        """Whether the last walk may have met other commits than those that are there.

        Also where the same head is back: whoever told of the push took it for lost.
        """
        return self.walked_at is not None and (self.rewritten_at or 0) + DOUBT > self.walked_at


@dataclass(frozen=True, slots=True)
class Probe:
    """What GitHub shows of a repository at one glance. Times are epoch seconds."""

    repository_id: int
    full_name: str
    is_fork: bool
    default_branch: str | None
    head_sha: str | None
    pulls_until: int | None
    issues_until: int | None
    pulls_total: int
    issues_total: int

    @classmethod
    def of(cls, node: JsonObject) -> "Probe":
        """A probe of its node, as `clients/github/queries.py` asks for it."""
        branch = node.get("defaultBranchRef") or {}
        return cls(
            node["databaseId"],
            node["nameWithOwner"],
            bool(node["isFork"]),
            branch.get("name"),
            (branch.get("target") or {}).get("oid"),
            _newest(node["pulls"]),
            _newest(node["issues"]),
            node["pulls"]["totalCount"],
            node["issues"]["totalCount"],
        )

    def to_json(self) -> dict[str, Any]:
        """As it is kept while a run lasts."""
        return asdict(self)

    def is_unchanged(self, known: Known | None) -> bool:
        """Whether there is nothing to read that the last complete run had not."""
        return known is not None and (
            (self.is_fork or (self.head_sha == known.head_sha and not known.is_rewritten))
            and self.pulls_until == known.pulls_until
            and self.issues_until == known.issues_until
            and self.pulls_total == known.pulls_total
            and self.issues_total == known.issues_total
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the reading of a repository stands.

    `at`: when it began, by which a walk of commits is told from earlier ones. `low`: the last
    number of the page before, where numbers are listed. `has_gaps`: GitHub has not shown all that
    it counts, so what was not seen is not gone. `walked_before`: when the walk began that was the
    last one known then, by which a reading beside this one is noticed. `again`: how often it has
    begun anew because of one, or of a forced push meanwhile. `glance`: at the newest pages, before
    anything was read; its ETags are good once all has been.
    """

    at: int
    phase: Phase = Phase.COMMITS
    after: str | None = None
    size: int = PAGE_SIZES[Phase.COMMITS]
    walk: Walk = TO_THE_END
    commits_total: int | None = None
    low: int = 0
    has_gaps: bool = False
    walked_before: int | None = None
    again: int = 0
    glance: Glance | None = None

    @property
    def things_differ(self) -> bool:
        """Whether the newest pages say that things may be others than those known."""
        return self.glance is not None and self.glance.things_differ

    @property
    def commits_differ(self) -> bool:
        """Whether they say so of commits."""
        return self.glance is not None and self.glance.commits_differ

    @classmethod
    def beginning(
        cls, at: int, probe: Probe, known: Known, glance: Glance | None = None
    ) -> "Progress":
        """Where a reading begins that was asked for at a time."""
        # Told apart from the walk before, however close the two are.
        at = max(at, (known.walked_at or 0) + 1)
        old_head = None if known.is_rewritten else known.head_sha
        walk = Walk.from_head(probe.head_sha, old_head) if probe.head_sha else Walk()
        return cls(at, walk=walk, walked_before=known.walked_at, glance=glance)

    def next_phase(self) -> "Progress":
        """The beginning of what is read next."""
        phase = _ORDER[_ORDER.index(self.phase) + 1]
        return replace(self, phase=phase, after=None, low=0, size=PAGE_SIZES.get(phase, 1))

    def without_lost_commits(self) -> "Progress":
        """The beginning of what is read after commits that are not the whole branch's."""
        return replace(self, phase=Phase.LOST_COMMITS).next_phase()

    def smaller(self) -> "Progress | None":
        """The same page in half the size; None where it can't be smaller."""
        return None if self.size == 1 else replace(self, size=self.size // 2)

    def from_the_start(self) -> "Progress":
        """A walk of the whole history instead of one to what is known."""
        return replace(self, after=None, walk=Walk())

    def anew(self, at: int, known: Known) -> "Progress":
        """A reading of the whole history, later than all that anybody has told of it."""
        at = max(at, self.at + 1, (known.walked_at or 0) + 1)
        return Progress(at, walked_before=known.walked_at, again=self.again + 1, glance=self.glance)

    def to_json(self) -> dict[str, Any]:
        """As it is kept with what the page before brought."""
        walk = {
            "old_head": self.walk.old_head,
            "open": None if self.walk.open is None else sorted(self.walk.open),
            "met_old_head": self.walk.met_old_head,
        }
        glance = None if self.glance is None else self.glance.to_json()
        return asdict(replace(self, glance=None)) | {"walk": walk, "glance": glance}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Progress":
        """What `to_json` made."""
        walk, glance = kept["walk"], kept.get("glance")
        waits = None if walk["open"] is None else frozenset(walk["open"])
        return cls(
            **kept
            | {
                "phase": Phase(kept["phase"]),
                "walk": Walk(walk["old_head"], waits, walk["met_old_head"]),
                "glance": None if glance is None else Glance.from_json(glance),
            }
        )


def _newest(listed: JsonObject) -> int | None:
    nodes = listed.get("nodes") or ()
    return epoch_seconds(nodes[0]["updatedAt"]) if nodes and nodes[0] else None
