"""Commits of a push, as GH Archive shows it: up to 20 until October 2025, none since."""

from laurel_ingest.domain.closing_keywords import reads_as_merge, squashed_pull
from laurel_ingest.domain.commits import authors_of, sha_of
from laurel_ingest.domain.facts import NO_NUMBERS, CommitFact
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.json_values import (
    JsonObject,
    count_of,
    list_of,
    name_of,
    object_of,
    text_of,
)
from laurel_ingest.domain.refusals import MalformedError, Skip, Truncation
from laurel_ingest.domain.texts import headline

_BRANCH_PREFIX = "refs/heads/"


def push(found: Findings, repository_id: int, payload: JsonObject, at: int) -> None:
    """One fact per commit, whatever branch it went to: which one counts may be told later.

    `at`: when it was pushed.
    """
    ref = name_of(payload, "ref", 1024) or ""
    if not ref.startswith(_BRANCH_PREFIX):
        found.left_out[Skip.NOT_A_BRANCH] += 1
        return
    branch = ref.removeprefix(_BRANCH_PREFIX)
    if "commits" not in payload:
        found.lack(Truncation.PUSH_WITHOUT_COMMITS, branch)
        return
    commits = list_of(payload, "commits")
    if (count_of(payload, "size") or 0) > len(commits):
        found.lack(Truncation.PUSH_TRUNCATED, branch)
    for commit in commits:
        if not isinstance(commit, dict):
            raise MalformedError("a commit is not an object")
        pushes = {branch: at}
        found.facts.append(_pushed_commit(found, repository_id, pushes, commit))


def _pushed_commit(
    found: Findings, repository_id: int, pushes: dict[str, int], commit: JsonObject
) -> CommitFact:
    message = text_of(commit, "message") or ""
    squashed = squashed_pull(message)
    return CommitFact(
        repository_id,
        sha_of(commit),
        standing=found.standing,
        authors=authors_of(found, object_of(commit, "author"), message),
        is_merge=found.said(reads_as_merge(message)),
        title=found.said(headline(message)),
        pushes=pushes,
        pull_numbers=NO_NUMBERS if squashed is None else frozenset({squashed}),
    )
