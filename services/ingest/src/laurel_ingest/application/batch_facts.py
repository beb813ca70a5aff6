"""What a batch tells, gathered: one fact per thing, the people and owners that it names."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from laurel_ingest.domain.facts import Fact, FactKey, RepositoryFact, key_of, merge
from laurel_ingest.domain.findings import Findings, Owner
from laurel_ingest.domain.identities import claimed_synthetic_ids, is_synthetic
from laurel_ingest.domain.people import Person


@dataclass(frozen=True, slots=True)
class RepositoryTraits:
    """What no signal depends on and the directory should know; None where it was not told."""

    is_private: bool | None = None
    is_archived: bool | None = None


@dataclass(slots=True)
class BatchFacts:
    """Facts of a batch, and whom and what the directory has to know before they are stored.

    `repositories`: full name by id, of those that something counts in. `owners` by login in
    lower case. `known_authors`: who the directory knows synthetic people to be. `author_logins`:
    whose account GitHub says that an author's address is, by synthetic id. `last_at`: the newest
    time that anything was said, epoch seconds.
    """

    facts: dict[FactKey, Fact] = field(default_factory=dict)
    people: dict[int, Person] = field(default_factory=dict)
    repositories: dict[int, str] = field(default_factory=dict)
    traits: dict[int, RepositoryTraits] = field(default_factory=dict)
    owners: dict[str, Owner] = field(default_factory=dict)
    known_authors: dict[int, int] = field(default_factory=dict)
    author_logins: dict[int, str] = field(default_factory=dict)
    last_at: int = 0
    # When a source last told of something without showing it: by repository, what it was, and the
    # branch as in Findings.lacks.
    lacks: dict[tuple[int, str, str | None], int] = field(default_factory=dict)

    def add(self, found: Findings, repository_id: int, full_name: str, owner: Owner) -> None:
        """Takes in what one event says. A repository that nothing counts in is not entered."""
        self.last_at = max(self.last_at, found.at)
        for fact in found.facts:
            key = key_of(fact)
            known = self.facts.get(key)
            self.facts[key] = fact if known is None else merge(known, fact)
            if not isinstance(fact, RepositoryFact):
                self.repositories[repository_id] = full_name
        for what, branch in found.lacks:
            lack = (repository_id, what, branch)
            self.lacks[lack] = max(found.at, self.lacks.get(lack, 0))
            # Something counts in it that was not shown: only what is entered can have gaps.
            self.repositories[repository_id] = full_name
        self.author_logins.update(found.author_logins)
        for user_id, person in found.people.items():
            known_person = self.people.get(user_id)
            if known_person is None or (known_person.login is None and person.login):
                self.people[user_id] = person
        for synthetic_id, user_id in found.claims.items():
            if user_id not in found.people:
                continue  # an address told of somebody, and GitHub of somebody else
            known_user = self.known_authors.get(synthetic_id, user_id)
            self.known_authors[synthetic_id] = min(user_id, known_user)
        if self.repositories.get(repository_id) is not None:
            self._own(owner)

    def enter(self, repository_id: int, full_name: str, owner: Owner) -> None:
        """Has the directory told of a repository though nothing counts in it."""
        self.repositories[repository_id] = full_name
        self._own(owner)

    def claims(self) -> dict[int, int]:
        """Synthetic id → person, of everybody whose id and login the batch tells, and of known
        authors.
        """
        claims = dict(self.known_authors)
        ids: dict[str, int] = {}
        for person in self.people.values():
            if person.login is not None and not is_synthetic(person.user_id):
                login = person.login.lower()
                ids[login] = min(person.user_id, ids.get(login, person.user_id))
                for synthetic_id in claimed_synthetic_ids(person.user_id, person.login):
                    known = claims.get(synthetic_id, person.user_id)
                    claims[synthetic_id] = min(known, person.user_id)
        for synthetic_id, login in self.author_logins.items():
            if login.lower() in ids:
                claims.setdefault(synthetic_id, ids[login.lower()])
        return claims

    def unclaimed_logins(self, claims: Mapping[int, int]) -> dict[int, str]:
        """Synthetic id → login (in lower case) of authors whose account's number is unknown yet."""
        return {
            synthetic_id: login.lower()
            for synthetic_id, login in self.author_logins.items()
            if synthetic_id not in claims
        }

    def known_owners(self) -> list[Owner]:
        """The owners, each with the id that anybody in the batch tells for its login."""
        ids = {
            person.login.lower(): person
            for person in self.people.values()
            if person.login is not None and not is_synthetic(person.user_id)
        }
        return [
            owner
            if owner.account_id is not None or login not in ids
            else Owner(owner.login, ids[login].user_id, True, ids[login].avatar_url)
            for login, owner in self.owners.items()
        ]

    def _own(self, owner: Owner) -> None:
        login = owner.login.lower()
        known = self.owners.get(login)
        if known is None or (known.account_id is None and owner.account_id is not None):
            self.owners[login] = owner
