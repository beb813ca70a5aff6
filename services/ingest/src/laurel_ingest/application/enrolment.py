"""Whom and what a batch names, made known to the directory before anything refers to it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from laurel_ingest.application.batch_facts import BatchFacts
from laurel_ingest.application.ports import Account, Directory, RepositoryEntry, Storage
from laurel_ingest.domain.facts import RepositoryFact
from laurel_ingest.domain.identities import is_synthetic
from laurel_ingest.domain.people import Person

_REMEMBERED = 200_000

V = TypeVar("V")


class Enrolment:
    """Knows for the length of one stream what the directory has been told already."""

    def __init__(self, directory: Directory, storage: Storage) -> None:
        self._directory = directory
        self._storage = storage
        self._accounts: dict[str, Account] = {}
        self._users: dict[int, Person] = {}
        self._repositories: dict[int, RepositoryEntry] = {}
        self._ids: dict[str, int] = {}
        self._logins: dict[str, int | None] = {}
        self._authors: dict[int, int | None] = {}

    async def repository_ids(self, told: Mapping[str, int | None]) -> dict[str, int]:
        """Ids by full name in lower case: as told, else as known; unknown ones are absent."""
        _forget_when_full(self._ids)
        self._ids.update({name: each for name, each in told.items() if each is not None})
        unknown = [name for name, each in told.items() if each is None and name not in self._ids]
        if unknown:
            self._ids.update((await self._directory.resolve((), unknown)).repository_ids)
        return {name: self._ids[name] for name in told if name in self._ids}

    async def enter(self, told: BatchFacts) -> dict[int, int]:
        """Enters owners, repositories and people; answers installations by repository id.

        What is known of logins joins the batch's people, so that it can claim synthetic ids.
        """
        memories = self._accounts, self._users, self._repositories, self._logins, self._authors
        for memory in memories:
            _forget_when_full(memory)
        await self._resolve_logins(told)
        await self._resolve_authors(told)
        await self._recognize(told)
        await self._enter_owners(told)
        accounts = {
            repository_id: self._accounts[full_name.partition("/")[0].lower()]
            for repository_id, full_name in told.repositories.items()
        }
        repositories = self._unsent_repositories(told, accounts)
        users = await self._unsent_users(told)
        repository_waves = _waves(repositories, lambda entry: entry.full_name.lower())
        for wave in repository_waves or ([[]] if users else []):
            await self._directory.enter(users, wave, told.last_at)
            self._users.update((user.user_id, user) for user in users)
            self._repositories.update((entry.repository_id, entry) for entry in wave)
        return {each: account.installation_id for each, account in accounts.items()}

    async def _resolve_logins(self, told: BatchFacts) -> None:
        """Asks once for each login that came without an id."""
        known_here = {
            person.login.lower()
            for person in told.people.values()
            if person.login and not is_synthetic(person.user_id)
        }
        bare = {
            person.login.lower()
            for person in told.people.values()
            if person.login and is_synthetic(person.user_id)
        } | {login.lower() for login in told.author_logins.values()}
        bare -= known_here
        unasked = sorted(bare - self._logins.keys())
        if unasked:
            found = (await self._directory.resolve(unasked, ())).user_ids
            self._logins.update((login, found.get(login)) for login in unasked)
        for login in bare:
            user_id = self._logins.get(login)
            if user_id is not None and not is_synthetic(user_id):
                told.people.setdefault(user_id, Person(user_id, login))

    async def _resolve_authors(self, told: BatchFacts) -> None:
        """Asks once who each synthetic person is.

        Whatever claims stand here already: the directory may know an older account that had the
        login, and what came first must not matter.
        """
        synthetic = {user_id for user_id in told.people if is_synthetic(user_id)}
        unasked = sorted(synthetic - self._authors.keys())
        if unasked:
            found = await self._directory.claimants(unasked)
            self._authors.update((each, found.get(each)) for each in unasked)
        for synthetic_id in synthetic:
            user_id = self._authors[synthetic_id]
            if user_id is not None:
                told.known_authors[synthetic_id] = user_id

    async def _recognize(self, told: BatchFacts) -> None:
        """Whom a push named by login before anybody told the login's number."""
        numbers = {
            person.login.lower(): user_id
            for user_id, person in sorted(told.people.items(), reverse=True)
            if person.login and not is_synthetic(user_id) and self._users.get(user_id) != person
        }
        for synthetic_id, login in (await self._storage.authors_called(numbers)).items():
            known = told.known_authors.get(synthetic_id, numbers[login])
            told.known_authors[synthetic_id] = min(known, numbers[login])

    async def _enter_owners(self, told: BatchFacts) -> None:
        unknown = [
            owner for owner in told.known_owners() if owner.login.lower() not in self._accounts
        ]
        if unknown:
            self._accounts.update(await self._directory.enter_owners(unknown, told.last_at))

    def _unsent_repositories(
        self, told: BatchFacts, accounts: Mapping[int, Account]
    ) -> list[RepositoryEntry]:
        entries = []
        for repository_id, full_name in told.repositories.items():
            known = self._repositories.get(repository_id)
            fact = told.facts.get((repository_id, RepositoryFact.kind, ""))
            branch = known.default_branch if known else None
            fork = known.is_fork if known else False
            if isinstance(fact, RepositoryFact):
                branch = fact.default_branch.value if fact.default_branch else branch
                fork = fact.is_fork.value if fact.is_fork else fork
            account_id = accounts[repository_id].account_id
            traits = told.traits.get(repository_id)
            entry = RepositoryEntry(
                *(repository_id, full_name, account_id, branch, fork),
                traits.is_private if traits else None,
                traits.is_archived if traits else None,
            )
            if entry != known:
                entries.append(entry)
        return entries

    async def _unsent_users(self, told: BatchFacts) -> list[Person]:
        """People whom the directory has not been told of, without those whom others claim."""
        unsent = [
            person for user_id, person in told.people.items() if self._users.get(user_id) != person
        ]
        synthetic = {each.user_id for each in unsent if is_synthetic(each.user_id)}
        if not synthetic:
            return unsent
        claimed = told.claims().keys() | (await self._storage.claims_of(synthetic)).keys()
        return [each for each in unsent if each.user_id not in synthetic & claimed]


def _forget_when_full(memory: dict[Any, Any]) -> None:
    """Empties a memory rather than let it grow with the source; asking again is only slower."""
    if len(memory) > _REMEMBERED:
        memory.clear()


def _waves(items: Iterable[V], name: Callable[[V], str]) -> list[list[V]]:
    """Items in their order, cut so that no two of one name stand in one wave.

    A repository that was deleted and made again within the batch has the name of the first, and
    takes it over when it comes after.
    """
    waves: list[list[V]] = []
    counts: Counter[str] = Counter()
    for item in items:
        place = counts[name(item)]
        counts[name(item)] += 1
        if place == len(waves):
            waves.append([])
        waves[place].append(item)
    return waves
