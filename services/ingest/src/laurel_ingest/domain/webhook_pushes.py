"""Commits of a push, as a webhook shows it: with times, parents unknown, up to 2,048 of them."""

from typing import Any, Final

from laurel_ingest.domain.closing_keywords import reads_as_merge, squashed_pull
from laurel_ingest.domain.commits import authors_of, sha_under
from laurel_ingest.domain.facts import NO_NUMBERS, CommitFact
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.identities import is_synthetic
from laurel_ingest.domain.json_values import (
    JsonObject,
    count_of,
    list_of,
    name_of,
    object_of,
    text_of,
)
from laurel_ingest.domain.linking import THE_DEFAULT_THEN
from laurel_ingest.domain.people import person_of
from laurel_ingest.domain.refusals import MalformedError, Skip, Truncation
from laurel_ingest.domain.registers import Said
from laurel_ingest.domain.texts import headline
from laurel_ingest.domain.timestamps import epoch_seconds

MAX_COMMITS: Final = 2_048
"""GitHub shows no more commits of one push."""

_BRANCH_PREFIX: Final = "refs/heads/"


def push(found: Findings, repository_id: int, payload: JsonObject) -> None:
    """One fact per commit, whatever branch it went to: another may be the default one later."""
    ref = name_of(payload, "ref", 1024) or ""
    if not ref.startswith(_BRANCH_PREFIX):
        found.left_out[Skip.NOT_A_BRANCH] += 1
        return
    if payload.get("deleted") is True:
        found.left_out[Skip.BRANCH_DELETED] += 1
        return
    branch = ref.removeprefix(_BRANCH_PREFIX)
    is_default = branch == name_of(object_of(payload, "repository"), "default_branch")
    for commit in _commits(found, payload, THE_DEFAULT_THEN if is_default else branch):
        found.facts.append(_pushed_commit(found, repository_id, branch, commit, is_default))
    if is_default and payload.get("forced") is True:
        _rewritten(found, repository_id, payload)


def _commits(found: Findings, payload: JsonObject, branch: str) -> list[JsonObject]:
    """The commits that are shown, the new head among them even where the list is cut short."""
    commits = list_of(payload, "commits")
    if not all(isinstance(commit, dict) for commit in commits):
        raise MalformedError("a commit is not an object")
    head = object_of(payload, "head_commit")
    shown = {sha_under(commit, "id") for commit in commits}
    if head and sha_under(head, "id") not in shown:
        # A new branch shows none of the commits that others had before; a long push only some.
        lacks = Truncation.PUSH_TRUNCATED if commits else Truncation.PUSH_WITHOUT_COMMITS
        found.lack(lacks, branch)
        return [*commits, head]
    if len(commits) >= MAX_COMMITS or (count_of(payload, "size") or 0) > len(commits):
        found.lack(Truncation.PUSH_TRUNCATED, branch)
    return commits


def _pushed_commit(
    found: Findings, repository_id: int, branch: str, commit: JsonObject, is_default: bool
) -> CommitFact:
    sha, message = sha_under(commit, "id"), text_of(commit, "message") or ""
    if sha is None:
        raise MalformedError("a commit's id is missing")
    squashed = squashed_pull(message)
    told: Any = commit.get("timestamp")
    return CommitFact(
        repository_id,
        sha,
        standing=found.standing,
        authors=_authors(found, object_of(commit, "author"), message),
        authored_at=found.said(None if told is None else epoch_seconds(told)),
        is_merge=found.said(reads_as_merge(message)),
        title=found.said(headline(message)),
        is_lost=found.said(False) if is_default else None,
        pushes={branch: found.at} | ({THE_DEFAULT_THEN: found.at} if is_default else {}),
        pull_numbers=NO_NUMBERS if squashed is None else frozenset({squashed}),
    )


def _authors(found: Findings, author: JsonObject, message: str) -> Said | None:
    """Author and co-authors, and whose account the author's address is where GitHub says so."""
    login = name_of(author, "username")
    person = found.author(text_of(author, "email"), text_of(author, "name"))
    if person is None:
        account = person_of({"login": login}) if login else None
        if account is None:
            return None
        found.meet(account)
        return found.said([[account.user_id, account.is_bot]])
    if login and is_synthetic(person.user_id):
        found.author_logins[person.user_id] = login
    return authors_of(found, author, message)


def _rewritten(found: Findings, repository_id: int, payload: JsonObject) -> None:
    """The old head is certainly gone; what else is, the push does not tell."""
    found.lack(Truncation.HISTORY_REWRITTEN, THE_DEFAULT_THEN)
    before = sha_under(payload, "before")
    if before is not None and before.strip("0"):
        found.facts.append(
            CommitFact(repository_id, before, standing=found.standing, is_lost=found.said(True))
        )
