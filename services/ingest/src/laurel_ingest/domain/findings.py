"""What one event or commit turns out to say: facts, people met on the way, what was left out."""

from collections import Counter
from dataclasses import dataclass, field

from laurel_ingest.domain.facts import Fact
from laurel_ingest.domain.identities import (
    GHOST_ID,
    is_synthetic,
    synthetic_ids_of_private_address,
)
from laurel_ingest.domain.json_values import JsonObject
from laurel_ingest.domain.people import GHOST, Person, person_of, person_of_email
from laurel_ingest.domain.refusals import MalformedError, Skip, Truncation
from laurel_ingest.domain.registers import UNKNOWN_STANDING, Said


@dataclass(frozen=True, slots=True)
class Owner:
    """The account that a repository's name begins with; its id and kind where a source told."""

    login: str
    account_id: int | None = None
    is_user: bool | None = None
    avatar_url: str | None = None


@dataclass(slots=True)
class Findings:
    """Collected by a normalizer; `standing` and `at` say whose word the facts are and of when.

    `claims`: synthetic id → person, where the source itself tells whose an address is;
    `author_logins`: the same where it tells the login alone.
    """

    standing: int
    at: int
    facts: list[Fact] = field(default_factory=list)
    people: dict[int, Person] = field(default_factory=dict)
    author_logins: dict[int, str] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    claims: dict[int, int] = field(default_factory=dict)
    # What a source told of without showing it, by the branch that it went to: "" for the default
    # one, None where branches don't matter.
    lacks: set[tuple[str, str | None]] = field(default_factory=set)

    def lack(self, what: Truncation, branch: str | None) -> None:
        """Counts and remembers that a source holds less than what happened."""
        self.left_out[what] += 1
        self.lacks.add((what.value, branch))

    def said(self, value: object) -> Said | None:
        """A value as this source says it now; None says nothing."""
        return None if value is None else Said(self.standing, self.at, value)

    def credit(self, person: Person | None) -> Said | None:
        """[user id, is bot] of somebody, who is remembered as met."""
        if person is None:
            return None
        self.meet(person)
        standing = UNKNOWN_STANDING if person.user_id == GHOST_ID else self.standing
        return Said(standing, self.at, [person.user_id, person.is_bot])

    def credit_of(self, thing: JsonObject, name: str, otherwise: Person | None) -> Said | None:
        """The credit of the account under a name.

        Null stands for a deleted user, the ghost; absent for a source that tells less, which
        leaves `otherwise`.
        """
        if name not in thing:
            return self.credit(otherwise)
        account = thing[name]
        if account is not None and not isinstance(account, dict):
            raise MalformedError(f"{name} is not an object")
        return self.credit(GHOST if account is None else person_of(account) or otherwise)

    def closed(self, at: int, closer: Said | None) -> tuple[Said | None, dict[str, Said]]:
        """The state of an issue that somebody closed, and who that was if it is known."""
        if closer is None:
            self.left_out[Skip.NO_AUTHOR] += 1
        state = self.said(["closed", at, closer.value if closer else None])
        return state, {str(at): closer} if closer else {}

    def author(self, email: str | None, name: str | None) -> Person | None:
        """The person whom a commit names by address, who claims the address's hash with it."""
        person = person_of_email(email, name)
        if person is not None and email is not None:
            for synthetic_id in synthetic_ids_of_private_address(email):
                self.claim(synthetic_id, person.user_id)
        return person

    def claim(self, synthetic_id: int, user_id: int) -> None:
        """Notes whose an address is; of several who had it, the oldest account."""
        if is_synthetic(synthetic_id) and not is_synthetic(user_id):
            self.claims[synthetic_id] = min(user_id, self.claims.get(synthetic_id, user_id))

    def meet(self, person: Person) -> None:
        """Remembers somebody, with whatever of login and avatar was told first."""
        known = self.people.get(person.user_id)
        if known is None or (known.login is None and person.login is not None):
            self.people[person.user_id] = person
