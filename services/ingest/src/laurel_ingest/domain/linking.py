"""From the facts of one repository to its signals.

Pure: the same facts make the same signals, however many events, sources and batches told them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from laurel_ingest.domain.facts import (
    CommentFact,
    CommitFact,
    Fact,
    FactKey,
    IssueFact,
    PullFact,
    RepositoryFact,
    ReviewCommentFact,
    ReviewFact,
    key_of,
)
from laurel_ingest.domain.identities import is_synthetic
from laurel_ingest.domain.registers import Said

_PUSH_TOLERANCE = 60
"""Seconds by which GitHub's clock and ours may differ."""

THE_DEFAULT_THEN = ""
"""In the pushes of a commit, the branch that was the default one when it was pushed to."""

PERSON = "person"
"""The kind of thing that a link to a synthetic person points at."""

Claims: TypeAlias = Mapping[int, int]
"""Synthetic id → id of the person that it turned out to be."""


@dataclass(slots=True)
class RepositoryFacts:
    """Facts of one repository, and which of them bear on which."""

    repository: RepositoryFact | None = None
    facts: dict[FactKey, Fact] = field(default_factory=dict)
    pulls: dict[int, PullFact] = field(default_factory=dict)
    merged_as: dict[str, list[PullFact]] = field(default_factory=dict)
    closed_by: dict[int, list[PullFact]] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> "RepositoryFacts":
        """An index of facts that all belong to one repository."""
        known = cls()
        for fact in facts:
            known.facts[key_of(fact)] = fact
            if isinstance(fact, RepositoryFact):
                known.repository = fact
            elif isinstance(fact, PullFact):
                known.pulls[int(fact.identity)] = fact
                if fact.merged_at is not None:
                    if fact.merge_commit_sha is not None:
                        known.merged_as.setdefault(fact.merge_commit_sha.value, []).append(fact)
                    for number in fact.closes:
                        known.closed_by.setdefault(number, []).append(fact)
        return known

    def pulls_of(self, commit: CommitFact) -> list[PullFact]:
        """The pull requests that brought a commit, as far as they are known."""
        named = (self.pulls.get(number) for number in commit.pull_numbers)
        return [pull for pull in named if pull] + self.merged_as.get(commit.identity, [])


def links_of(fact: Fact) -> list[FactKey]:
    """Keys of the other facts that a fact's signals depend on, or that depend on it."""
    here = fact.repository_id
    if isinstance(fact, PullFact):
        links = [(here, IssueFact.kind, str(number)) for number in sorted(fact.closes)]
        if fact.merge_commit_sha is not None:
            links.append((here, CommitFact.kind, fact.merge_commit_sha.value))
        return links
    if isinstance(fact, CommitFact | ReviewFact | ReviewCommentFact):
        return [(here, PullFact.kind, str(number)) for number in sorted(fact.pull_numbers)]
    return []


def places_of(comment: CommentFact) -> list[FactKey]:
    """What a comment may stand on: its number does not tell whether that is a pull request."""
    if comment.number is None:
        return []
    number = str(comment.number.value)
    return [(comment.repository_id, kind, number) for kind in (IssueFact.kind, PullFact.kind)]


def synthetic_people(fact: Fact) -> set[int]:
    """The synthetic user ids that a fact credits with anything."""
    people: list[int] = []
    match fact:
        case CommitFact():
            people = [credit[0] for credit in fact.authors.value] if fact.authors else []
        case PullFact():
            people = [said.value[0] for said in (fact.author, fact.merger) if said]
        case IssueFact():
            people = [fact.author.value[0]] if fact.author else []
            closer = fact.state.value[2] if fact.state and fact.state.value[0] == "closed" else None
            people += [closer[0]] if closer else []
            people += [each.value[0] for each in fact.closers.values()]
        case RepositoryFact():
            pass
        case _:
            people = [fact.author.value[0]] if fact.author else []
    return {person for person in people if is_synthetic(person)}


def pushed_to_default(commit: CommitFact, repository: RepositoryFact | None) -> int | None:
    """When a commit was first pushed to the branch that counts; None where it never was.

    That is the default branch, or main or master where it is unknown. What was pushed to a branch
    while it was the default one counts even after it was renamed.
    """
    known = repository.default_branch if repository else None
    branches = (THE_DEFAULT_THEN, *((known.value,) if known else ("main", "master")))
    times = [commit.pushes[branch] for branch in branches if branch in commit.pushes]
    return min(times, default=None)


def is_on_default_branch(commit: CommitFact, repository: RepositoryFact | None) -> bool:
    """Whether a commit can be reached from the branch that counts, as far as anybody knows.

    Whoever walked the whole branch knows best; what was pushed later is there nevertheless.
    """
    if _is_lost(commit):
        return False
    if commit.walked is not None and commit.walked.value:
        return True
    if commit.on_default_branch and commit.walked is None:
        return True
    pushed = pushed_to_default(commit, repository)
    if pushed is None:
        return False
    walked_at = commit.walked.at if commit.walked else None
    history_at = repository.history_at.value if repository and repository.history_at else None
    return all(pushed > each - _PUSH_TOLERANCE for each in (walked_at, history_at) if each)


def _is_lost(commit: CommitFact) -> bool:
    """Whether a forced push took a commit away, and no walk has met it since."""
    lost, walked = commit.is_lost, commit.walked
    if lost is None or not lost.value:
        return False
    return not (walked is not None and walked.value and walked.at > lost.at)


def is_fork(repository: RepositoryFact | None) -> bool:
    """Whether a repository is known to be a fork, whose commits don't count."""
    return bool(repository and repository.is_fork and repository.is_fork.value)


def resolved(credit: Said | None, claims: Claims) -> tuple[int, bool] | None:
    """(user id, is bot) of a credit, with whoever claims it in the place of a synthetic id."""
    if credit is None:
        return None
    user_id, bot = credit.value
    return claims.get(user_id, user_id), bot
