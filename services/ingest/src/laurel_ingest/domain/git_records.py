"""Commits of a git clone: one JSON object each, newest first in topological order, to facts.

A record: {"sha", "parents": [sha, …], "author": {"name", "email"}, "authored_at": ISO 8601,
"message", "additions", "deletions"}; the last two are absent where git counted nothing.
"""

from dataclasses import dataclass, field

from laurel_ingest.domain.closing_keywords import merged_pull, squashed_pull
from laurel_ingest.domain.commits import authors_of, sha_of
from laurel_ingest.domain.facts import CommitFact, RepositoryFact
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.json_values import count_of, list_of, object_of, text_of
from laurel_ingest.domain.refusals import MalformedError
from laurel_ingest.domain.registers import Said, Standing
from laurel_ingest.domain.texts import headline
from laurel_ingest.domain.timestamps import epoch_seconds


@dataclass(slots=True)
class MergeWalk:
    """Tells by which pull request's merge each commit came to the branch that is walked.

    Fed newest first, children before parents, it knows of every commit all merges that reach it.
    A first parent of the branch is on it already; what only a merge's second parent leads to came
    by that merge, by the oldest one where several lead to it. What it remembers is bounded by how
    many branches ran side by side, not by the length of history.
    """

    _arrivals: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    _mainline: str | None = None
    _merge_count: int = 0
    _begun: bool = False

    def place(self, sha: str, parents: list[str], message: str) -> int | None:
        """The number of the pull request that brought a commit; None where none is known to."""
        if not self._begun:
            self._begun, self._mainline = True, sha
        arrival = self._arrivals.pop(sha, None)
        if sha == self._mainline:
            self._mainline = parents[0] if parents else None
            if len(parents) > 1:
                self._merge_count += 1
                for parent in parents[1:]:
                    self._arrive(parent, (self._merge_count, merged_pull(message)))
            return None
        if arrival is None:
            return None
        for parent in parents:
            self._arrive(parent, arrival)
        return arrival[1]

    def _arrive(self, sha: str, arrival: tuple[int, int | None]) -> None:
        # Merges are counted from the newest, so the greater count is the older merge.
        known = self._arrivals.get(sha)
        if known is None or known[0] < arrival[0]:
            self._arrivals[sha] = arrival


def cloned(repository_id: int, now: int) -> RepositoryFact:
    """That a clone is being imported."""
    return RepositoryFact(repository_id, cloned_at=Said(Standing.BEST, now, True))


def findings_of(raw: object, repository_id: int, walk: MergeWalk) -> Findings:
    """The fact of one record.

    Raises MalformedError for what is no record of a commit.
    """
    if not isinstance(raw, dict):
        raise MalformedError("the line is not a JSON object")
    # A commit never changes: said at its own time, it says the same however often it is read.
    authored_at = epoch_seconds(raw.get("authored_at"))
    found = Findings(Standing.BEST, authored_at)
    sha, message = sha_of(raw), text_of(raw, "message") or ""
    parents = list_of(raw, "parents")
    if not all(isinstance(parent, str) for parent in parents):
        raise MalformedError("a parent is not a text")
    pulls = {walk.place(sha, parents, message)}
    if len(parents) < 2:
        pulls.add(squashed_pull(message))
    additions, deletions = count_of(raw, "additions"), count_of(raw, "deletions")
    uncounted = additions is None and deletions is None
    counted = None if uncounted else [additions or 0, deletions or 0]
    found.facts.append(
        CommitFact(
            repository_id,
            sha,
            standing=Standing.BEST,
            authors=authors_of(found, object_of(raw, "author"), message),
            authored_at=found.said(authored_at),
            is_merge=found.said(len(parents) > 1),
            lines=found.said(counted),
            title=found.said(headline(message)),
            on_default_branch=True,
            pull_numbers=frozenset(number for number in pulls if number is not None),
        )
    )
    return found
