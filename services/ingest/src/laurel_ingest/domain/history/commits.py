"""Commits of the default branch as GraphQL tells them, and how far back a walk has to go."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, TypeAlias

from laurel_ingest.domain.closing_keywords import squashed_pull
from laurel_ingest.domain.co_authors import co_authors
from laurel_ingest.domain.commits import sha_of
from laurel_ingest.domain.facts import CommitFact
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.history.nodes import Reading, nodes_of
from laurel_ingest.domain.json_values import JsonObject, count_of, object_of, text_of
from laurel_ingest.domain.people import Person, person_of
from laurel_ingest.domain.registers import Said, Standing
from laurel_ingest.domain.texts import headline
from laurel_ingest.domain.timestamps import epoch_seconds

ByEmail: TypeAlias = Callable[[str | None, str | None], Person | None]


def commits(reading: Reading, nodes: Iterable[JsonObject]) -> Findings:
    """Commits of the default branch; `reading.at` is when the walk began that met them."""
    found = Findings(Standing.BEST, reading.at)
    by_email = cache(found.author)  # a page has few authors
    for node in nodes:
        found.facts.append(_commit(reading, found, by_email, node))
    return found


def _commit(reading: Reading, found: Findings, by_email: ByEmail, node: JsonObject) -> CommitFact:
    message = text_of(node, "message") or ""
    parents = count_of(object_of(node, "parents"), "totalCount") or 0
    pulls = {
        pull["number"]
        for pull in nodes_of(node, "associatedPullRequests")
        if pull.get("merged")
        and (pull.get("baseRepository") or {}).get("databaseId") == reading.repository_id
    }
    squashed = squashed_pull(message) if parents < 2 else None
    if squashed is not None:
        pulls.add(squashed)
    return CommitFact(
        reading.repository_id,
        sha_of({"sha": node.get("oid")}),
        standing=Standing.BEST,
        authors=_authors(found, by_email, node, message),
        authored_at=found.said(epoch_seconds(node.get("authoredDate"))),
        is_merge=found.said(parents > 1),
        lines=found.said([count_of(node, "additions") or 0, count_of(node, "deletions") or 0]),
        title=found.said(headline(message)),
        walked=found.said(True),
        pull_numbers=frozenset(pulls),
    )


def _authors(found: Findings, by_email: ByEmail, node: JsonObject, message: str) -> Said | None:
    """[[user id, is bot], …]: the author, then the co-authors, each once."""
    people: list[Person] = []
    shown = 0
    for actor in nodes_of(node, "authors"):
        shown += 1
        email, name = text_of(actor, "email"), text_of(actor, "name")
        author = by_email(email, name)
        account = person_of(actor.get("user"))
        if account is not None and author is not None:
            found.claim(author.user_id, account.user_id)
        person = account or author
        if person is not None:
            people.append(person)
    if (count_of(object_of(node, "authors"), "totalCount") or 0) > shown:
        trailers = (by_email(email, name) for name, email in co_authors(message))
        people += [person for person in trailers if person is not None]
    credited: dict[int, bool] = {}
    for person in people:
        found.meet(person)
        credited.setdefault(person.user_id, person.is_bot)
    return found.said([[user_id, bot] for user_id, bot in credited.items()]) if credited else None


@dataclass(frozen=True, slots=True)
class Walk:
    """A way back through history, from a head to what is known.

    Everything behind a known commit is known. So whatever is new is reached over new commits
    alone, and the way ends where no parent of a new commit is left to be met: `open` holds those.
    None means to go to the very end, as the first walk does. `met_old_head` says whether the head
    of the last walk turned up: it does unless somebody forced another history onto the branch.
    """

    old_head: str | None = None
    open: frozenset[str] | None = None
    met_old_head: bool = False

    @classmethod
    def from_head(cls, head: str, old_head: str | None) -> "Walk":
        """A walk that has not begun; to the very end where there was none before."""
        if old_head is None:
            return cls()
        return cls(old_head, frozenset({head}), head == old_head)

    def step(
        self, nodes: Iterable[JsonObject], known: Collection[str], met: Collection[str]
    ) -> "Walk":
        """The walk behind a page of commits.

        Of the page's commits, their parents and those that the walk waits for: `known` were so
        before it began, `met` have been met by it.
        """
        if self.open is None:
            return self
        wanted, passed, old_head = set(self.open), set(known) | set(met), self.met_old_head
        for node in nodes:
            sha = sha_of({"sha": node.get("oid")})
            parents = [sha_of({"sha": each.get("oid")}) for each in nodes_of(node, "parents")]
            if (count_of(object_of(node, "parents"), "totalCount") or 0) > len(parents):
                return Walk(self.old_head)  # too many to name: to the end, then
            passed.add(sha)
            old_head = old_head or sha == self.old_head
            if sha not in known:
                wanted.update(parents)
                old_head = old_head or self.old_head in parents
        return replace(self, open=frozenset(wanted - passed), met_old_head=old_head)

    @property
    def is_done(self) -> bool:
        """Whether everything new has been met."""
        return self.open is not None and not self.open


TO_THE_END: Final = Walk()
"""The first walk, or one after a forced push."""
