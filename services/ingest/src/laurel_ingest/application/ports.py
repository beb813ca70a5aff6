"""What the use cases need from the outside, and what whoever gives it owes them."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from laurel_ingest.application.corrections import CorrectionLog
from laurel_ingest.domain.facts import Fact, FactKey
from laurel_ingest.domain.findings import Owner
from laurel_ingest.domain.people import Person


@dataclass(slots=True)
class TypeCounts:
    """What became of a batch's signals of one type."""

    new: int = 0
    changed: int = 0
    duplicate: int = 0


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """What a write did; `by_type` is keyed by the type's name in the database."""

    by_type: Mapping[str, TypeCounts]
    withdrawn: int = 0


@dataclass(frozen=True, slots=True)
class RepositoryEntry:
    """A repository as the directory shall know it; None is what no source told."""

    repository_id: int
    full_name: str
    account_id: int
    default_branch: str | None = None
    is_fork: bool = False
    is_private: bool | None = None
    is_archived: bool | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An owner as the directory knows it, and the installation that stands for it."""

    account_id: int
    installation_id: int


@dataclass(frozen=True, slots=True)
class Resolved:
    """Ids behind names, keyed by the name in lower case; unknown names are absent."""

    user_ids: Mapping[str, int] = field(default_factory=dict)
    repository_ids: Mapping[str, int] = field(default_factory=dict)


class Directory(Protocol):
    """Identity's directory. Raises DependencyUnavailable where it can't be reached."""

    async def resolve(
        self, user_logins: Collection[str], repository_names: Collection[str]
    ) -> Resolved:
        """The ids behind logins and full names."""
        ...

    async def claimants(self, synthetic_ids: Collection[int]) -> Mapping[int, int]:
        """The users of whom these synthetic ids' private addresses are; others are absent."""
        ...

    async def enter_owners(
        self, owners: Sequence[Owner], observed_at: int
    ) -> Mapping[str, Account]:
        """Makes sure of each owner and its installation; keyed by the login in lower case."""
        ...

    async def enter(
        self, users: Sequence[Person], repositories: Sequence[RepositoryEntry], observed_at: int
    ) -> None:
        """Makes sure of users and repositories, as they were seen at a time (epoch seconds)."""
        ...

    async def missing_users(self, user_ids: Collection[int]) -> set[int]:
        """Which of these ids no user has."""
        ...

    async def missing_repositories(
        self, installation_id: int, repository_ids: Collection[int]
    ) -> set[int]:
        """Which of these repositories the installation does not have."""
        ...

    async def require_installation(self, installation_id: int) -> None:
        """Raises InstallationNotFound unless there is such an installation."""
        ...


class FactStore(Protocol):
    """What is remembered of repositories, in the unit of work that it belongs to."""

    async def claim(self, claims: Mapping[int, int]) -> set[int]:
        """Remembers who synthetic ids turned out to be; answers those that are new or changed.

        Until the unit of work ends, no other one claims anything and, where there is anything to
        claim, none reads or writes facts.
        """
        ...

    async def note_logins(self, logins: Mapping[int, str]) -> None:
        """Remembers whose authors' addresses are, by synthetic id: logins without a number yet."""
        ...

    async def claims_of(self, synthetic_ids: Collection[int]) -> dict[int, int]:
        """Who these synthetic ids turned out to be: by an operator's word, or as sources tell."""
        ...

    async def standing_claims(self, synthetic_ids: Collection[int]) -> dict[int, int]:
        """The same, and nothing about it changes until the unit of work ends."""
        ...

    async def crediting(self, synthetic_ids: Collection[int]) -> set[FactKey]:
        """The facts that credit any of these ids."""
        ...

    async def known_repositories(self, repository_ids: Collection[int]) -> set[int]:
        """Those of these repositories that any fact is remembered of."""
        ...

    async def load(self, keys: Collection[FactKey]) -> dict[FactKey, Fact]:
        """The facts under these keys; unknown ones are absent."""
        ...

    async def pointing_at(self, keys: Collection[FactKey]) -> set[FactKey]:
        """The facts that link to any of these."""
        ...

    async def commits_of(self, repository_ids: Collection[int]) -> set[FactKey]:
        """Every commit of these repositories."""
        ...

    async def unmet_commits_of(self, repository_ids: Collection[int]) -> set[FactKey]:
        """The commits of these repositories that the last walk did not meet, or none could."""
        ...

    async def unwalked_commits_of(self, repository_ids: Collection[int]) -> set[FactKey]:
        """The commits of these repositories that no walk of the default branch has spoken of."""
        ...

    async def comments_on(self, things: Collection[FactKey]) -> set[FactKey]:
        """The comments on these issues and pull requests."""
        ...

    async def installations(
        self, told: Mapping[int, int], repository_ids: Collection[int]
    ) -> dict[int, int]:
        """Remembers installations by repository id; answers those of all these repositories."""
        ...

    async def save(self, facts: Sequence[Fact]) -> None:
        """Remembers facts, in the place of what was remembered under their keys, and links."""
        ...


class SignalStore(Protocol):
    """Signals, in the unit of work that it belongs to."""

    async def lock(self, repository_ids: Sequence[int]) -> None:
        """Until the unit of work ends, nobody else writes signals of these repositories."""
        ...

    async def write(self, signals: pa.Table, *, last_word: bool) -> WriteOutcome:
        """Writes columns (`domain/columns.py`), each signal once, the best-standing source's word.

        `last_word`: among sources of one standing what is written last is right.
        """
        ...

    async def withdraw(self, scope: pa.Table, *, reason: str) -> int:
        """Takes back what stands in scope and was not named by the write just before.

        `scope`: repository_id, type, identity, and the standing that may take it back.
        """
        ...


class GapLog(Protocol):
    """What sources told of without showing it."""

    async def note(self, lacks: Mapping[tuple[int, str, str | None], int]) -> None:
        """Notes when (epoch seconds) a repository last lacked something, by the branch that it went
        to: "" for the default one, None where branches don't matter. Of other branches only what
        went to the one that is known to be the default, or might be.
        """
        ...


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """Facts and signals of one transaction, what people decided about them, and what is missing."""

    facts: FactStore
    signals: SignalStore
    corrections: CorrectionLog
    gaps: GapLog


class Storage(Protocol):
    """Where facts and signals are kept."""

    def transaction(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work: committed on success, otherwise as if it had never been."""
        ...

    async def claims_of(self, synthetic_ids: Collection[int]) -> dict[int, int]:
        """Who these synthetic ids turned out to be, as last committed."""
        ...

    async def authors_called(self, logins: Collection[str]) -> dict[int, str]:
        """Synthetic authors whose account has one of these logins (in lower case), as last
        committed.
        """
        ...

    async def ensure_partitions(self, months: Collection[datetime]) -> None:
        """Makes sure that each month (any moment of it, UTC) has its partition."""
        ...


@dataclass(frozen=True, slots=True)
class SignalQuery:
    """Which signals of an installation are wanted. `start` is included, `end` is not.

    Those of `hidden` repositories are not shown; they are no part of what a page token is bound to,
    since they change while somebody reads on.
    """

    installation_id: int
    user_id: int | None = None
    repository_id: int | None = None
    types: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    hidden: frozenset[int] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended."""

    event_timestamp: datetime
    signal_id: int


@dataclass(frozen=True, slots=True)
class StoredSignal:
    """A signal as the database has it."""

    id: int
    installation_id: int
    user_id: int
    repository_id: int
    type: str
    value_e4: int
    event_timestamp: datetime
    content_hash: str
    metadata: Mapping[str, object]


class SignalReader(Protocol):
    """Reads signals page by page."""

    async def page(
        self, query: SignalQuery, after: Position | None, limit: int
    ) -> Sequence[StoredSignal]:
        """At most `limit` signals after a position, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """Which signals of an installation scoring wants, and whether with what names the things on
    GitHub. Both times are included.
    """

    installation_id: int
    start: datetime | None = None
    end: datetime | None = None
    repository_ids: tuple[int, ...] = ()
    user_ids: tuple[int, ...] = ()
    references: bool = False
    # The mark of a snapshot whose successor is wanted as what has changed, where that is known.
    since_mark: str = ""


@dataclass(frozen=True, slots=True)
class InstallationState:
    """What a snapshot holds besides the signals.

    changes_only: whether its batches are what has changed since the mark that was named.
    """

    input_mark: str
    bot_user_ids: tuple[int, ...]
    signal_count: int
    changes_only: bool = False


class SignalStream(Protocol):
    """Reads an installation's signals in columns."""

    def open(self, query: StreamQuery) -> AbstractAsyncContextManager["Snapshot"]:
        """One consistent snapshot, let go when the context ends."""
        ...


class Snapshot(Protocol):
    """An installation's signals at one moment."""

    state: InstallationState

    def removed(self) -> bytes | None:
        """An Arrow IPC stream of the keys that are gone, as ingest.proto says; None for none."""
        ...

    def batches(self) -> AsyncIterator[bytes]:
        """Arrow IPC streams of the columns that ingest.proto names, none longer than a message."""
        ...
