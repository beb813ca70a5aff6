"""What the stories of the demo's year share: the dice, the numbers given out, who is around."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import TypeVar

from laurel_cli.demo.cast import ID_BASE, Account, Cast, Person, Repository
from laurel_cli.demo.events import Commit, Happening, Issue

T = TypeVar("T")


@dataclass
class Workshop:
    """One telling of the year: the same seed and `now` make the same year."""

    rng: Random
    start: datetime
    now: datetime
    cast: Cast = field(default_factory=Cast)
    happenings: list[Happening] = field(default_factory=list)
    open_issues: dict[str, list[Issue]] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _ids: int = 0
    _commits: int = 0

    def note(self, happening: Happening) -> None:
        """Keeps what happened, unless it lies in the future."""
        if self.start <= happening.at <= self.now:
            self.happenings.append(happening)

    def next_number(self, repository: Repository) -> int:
        """Issues and pull requests of a repository share one row of numbers."""
        number = self._numbers.get(repository.name, 0) + 1
        self._numbers[repository.name] = number
        return number

    def next_id(self) -> int:
        """An id for a thing of any kind."""
        self._ids += 1
        return ID_BASE + 1_000_000 + self._ids

    def commit(self, author: Account, message: str) -> Commit:
        """A commit under a SHA of its own."""
        self._commits += 1
        text = f"{self.start.date()} {self._commits} {author.login} {message}"
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        return Commit(sha, author, message)

    def around(self, person: Person, at: datetime) -> bool:
        """Whether somebody has joined by then and not left."""
        past = (at - self.start) / (self.now - self.start)
        return person.habits.starts <= past <= person.habits.leaves

    def repository_of(self, person: Person) -> Repository:
        """Where somebody works next."""
        shares = self.cast.at_home_in(person)
        return self._pick(list(self.cast.repositories), [*shares.values()])

    def colleagues(
        self, person: Person | None, repository: Repository, at: datetime
    ) -> list[Person]:
        """Up to three others who review in a repository, the eager ones more often."""
        pool = [each for each in self.cast.people if each is not person and self.around(each, at)]
        weights = [
            each.habits.reviewing * self.cast.at_home_in(each)[repository.name] for each in pool
        ]
        chosen: list[Person] = []
        for _ in range(self.rng.choice((0, 1, 1, 1, 2, 2, 3))):
            if sum(weights) <= 0:
                break
            found = self._pick(pool, weights)
            weights[pool.index(found)] = 0.0
            chosen.append(found)
        return chosen

    def talker(self, at: datetime) -> Person:
        """Somebody who has something to say."""
        pool = [each for each in self.cast.people if self.around(each, at)]
        return self._pick(pool, [each.habits.talking for each in pool])

    def _pick(self, pool: list[T], weights: list[float]) -> T:
        mark, total = self.rng.random() * sum(weights), 0.0
        for each, weight in zip(pool, weights, strict=True):
            total += weight
            if mark < total:
                return each
        return pool[-1]
