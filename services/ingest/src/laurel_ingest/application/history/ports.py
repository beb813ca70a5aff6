"""What runs need of the outside beside GitHub."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from laurel_ingest.application.history.github import Points
from laurel_ingest.application.ports import TypeCounts, UnitOfWork
from laurel_ingest.domain.facts import Fact, FactKey
from laurel_ingest.domain.history.budget import Budget
from laurel_ingest.domain.history.newest import Etags
from laurel_ingest.domain.history.progress import Known, Probe, Progress
from laurel_ingest.domain.history.runs import Preset, Run, RunState, Scope


@dataclass(frozen=True, slots=True)
class PlannedRepository:
    """A repository as the directory names it."""

    repository_id: int
    full_name: str


@dataclass(frozen=True, slots=True)
class Account:
    """Whose an installation is."""

    account_id: int
    login: str


class Roster(Protocol):
    """Whose an installation is, and what a scope has. Raises DependencyUnavailable."""

    async def account(self, installation_id: int) -> Account:
        """The account. Raises InstallationNotFound."""
        ...

    async def repositories(self, scope: Scope) -> Sequence[PlannedRepository]:
        """The scope's repositories. Raises TeamNotFound, RepositoryNotFound."""
        ...

    def installed(self) -> AsyncIterator[tuple[int, int]]:
        """Every installation of the App that is not suspended, with its account's id."""
        ...


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is asked for; `is_forced` passes the cooldown by, `is_reconciling` begins none.

    `is_urgent`: one repository, before all that others ask for.
    """

    scope: Scope
    preset: Preset
    requested_by: str
    request_id: str = ""
    is_forced: bool = False
    is_reconciling: bool = False
    is_urgent: bool = False


class RunStore(Protocol):
    """Runs, and the jobs that say when they are worked on."""

    async def request(self, asked: RunRequest, organization_id: int, now: datetime) -> Run:
        """A new run, or the one that the same request got before.

        Raises IngestRunning, IngestCoolingDown, TeamNotFound, RepositoryNotFound.
        """
        ...

    async def get(self, installation_id: int, run_id: int) -> Run:
        """A run with its troubles. Raises IngestNotFound."""
        ...

    async def page(self, installation_id: int, before: int | None, limit: int) -> Sequence[Run]:
        """At most `limit` runs, newest first, those older than run `before`; without troubles."""
        ...

    async def cancel(self, installation_id: int, run_id: int, now: datetime) -> Run:
        """Ends a run that is not over; one that is stays as it is. Raises IngestNotFound."""
        ...

    async def claim(self, run_id: int, now: datetime) -> Run | None:
        """Takes an open run on; None where it is over."""
        ...

    async def plan(
        self,
        run: Run,
        changed: Sequence[tuple[PlannedRepository, Probe]],
        unchanged: Sequence[PlannedRepository],
        left_out: Sequence[tuple[PlannedRepository, str]],
        now: datetime,
        *,
        looked_through: Collection[int] = (),
        watched: Collection[int] = (),
        only_watched: Collection[int] = (),
    ) -> None:
        """Notes what becomes of each repository, and puts a job for each changed one.

        `looked_through`: which of those are read whole; they have had their turn, however it ends.
        `watched`: of which the newest pages are asked for first; `only_watched`: of those the ones
        that are read only if these differ.
        Once for a run: what was planned before stays.
        """
        ...

    async def postpone(self, run_id: int, until: datetime) -> None:
        """Has a run taken on again later."""
        ...

    async def is_read(self, run_id: int) -> bool:
        """Whether no repository of a run is left to be read."""
        ...

    async def finish(self, run: Run, state: RunState, reason: str | None, now: datetime) -> None:
        """Ends a run; a success is noted for the cooldown of its scope, unless it reconciles."""
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """A repository of a run that is being read, by its attempt."""

    id: int
    run_id: int
    installation_id: int
    repository_id: int
    full_name: str
    attempts: int
    failures: int
    probe: Probe
    progress: Progress | None
    since: datetime | None
    requested_at: datetime
    is_reconciling: bool = False
    is_looked_through: bool = False
    is_watched: bool = False
    is_only_watched: bool = False
    is_urgent: bool = False


class WorkStore(Protocol):
    """The repositories of runs. What an older attempt writes raises WorkSuperseded."""

    async def claim(self, work_id: int) -> Work | None:
        """Takes a repository on in a new attempt; None where there is nothing to read."""
        ...

    async def advance(
        self,
        unit: UnitOfWork,
        work: Work,
        progress: Progress,
        counts: Mapping[str, TypeCounts],
        withdrawn: int,
    ) -> None:
        """Notes where the next page begins, within the transaction of what the last one brought."""
        ...

    async def note_asked(
        self, unit: UnitOfWork, work: Work, asked: Sequence[Points], listed: int
    ) -> None:
        """Counts requests and what they cost, and notes for all what the last of them left.
        `listed`: how many more REST answered, which cost no points.

        Last in its transaction: rows of the run and of the installation are locked from then on.
        """
        ...

    async def begin_anew(self, work: Work) -> None:
        """Notes that a repository is read from the work's own probe and progress on."""
        ...

    async def postpone(self, work: Work, until: datetime, *, reason: str | None) -> None:
        """Has a repository read on later; `reason` where it failed."""
        ...

    async def end(
        self, work: Work, now: datetime, *, left_out: str | None, note: str | None
    ) -> None:
        """Ends the reading of a repository; the run's job is put where it was the last one."""
        ...


class HistoryStore(Protocol):
    """What is known of repositories from the runs before."""

    async def known(self, repository_ids: Collection[int]) -> dict[int, Known]:
        """What the last complete runs left; never read ones are absent."""
        ...

    async def save(
        self,
        work: Work,
        values: Mapping[str, Any],
        now: datetime,
        *,
        walked_before: int | None,
        etags: Etags | None,
    ) -> bool:
        """Notes what a complete reading left, as of its beginning. False, and nothing noted, where
        another one than that of `walked_before` has meanwhile left another head of the default
        branch. `etags`: those from before it; None leaves what there is.
        """
        ...

    async def rewritten_since(self, repository_id: int, at: int) -> bool:
        """Whether anybody told of a forced push to the default branch at or after a time."""
        ...

    async def note_gap(self, installation_id: int, gaps: Mapping[int, str], now: datetime) -> None:
        """Notes why repositories could not be read."""
        ...

    async def walked(self, repository_id: int, shas: Collection[str]) -> dict[str, int]:
        """When each of these commits was last met by a walk; others are absent."""
        ...

    async def lost(self, repository_id: int, above: int, below: int) -> Sequence[str]:
        """Some of the commits that stand as met by walks that began between the two times, or by a
        clone's word that no walk has met; not these where a clone was imported after the later of
        the two, since it may be newer than what was walked.
        """
        ...

    async def numbers(
        self, repository_id: int, kind: str, above: int, upto: int | None
    ) -> Sequence[int]:
        """Numbers of the pull requests or issues known in a range, without deleted ones."""
        ...

    async def pulls_until(self, repository_id: int, until: int | None) -> tuple[str, int]:
        """The hash (`Known.pr_ids_hash`) of the pull requests made until a time that stand now, and
        how many later ones are known.
        """
        ...

    async def counts(self, repository_id: int) -> dict[str, int]:
        """How many pull requests and issues are known, by kind, without deleted ones."""
        ...


@dataclass(frozen=True, slots=True)
class NewestPage:
    """The first page of a list by newest update: which things it spoke of, by their numbers.

    `floor`: their oldest update, so that whatever was made later is on it; -1 on the only page.
    """

    kind: str
    numbers: Sequence[str]
    floor: int


class SightingStore(Protocol):
    """Which things of a repository a look through it has shown."""

    async def facts(self, keys: Collection[FactKey]) -> dict[FactKey, Fact]:
        """What is known under these keys."""
        ...

    async def see(self, repository_id: int, things: Collection[tuple[str, str]], at: int) -> None:
        """Notes things, by kind and identity, that were shown to the reading that began then."""
        ...

    async def unseen(
        self, repository_id: int, at: int, before: int, after: tuple[str, str]
    ) -> Sequence[tuple[str, str]]:
        """Some of the things known of that were made before a time, stand, and were not shown: the
        first ones behind `after`, by kind and identity.
        """
        ...

    async def missing(
        self, repository_id: int, shown: Collection[tuple[str, str]], page: NewestPage, before: int
    ) -> Sequence[tuple[str, str]]:
        """What is known of a page's things, was made before a time, stands, and is not among those
        that were shown, by kind and identity.
        """
        ...

    async def forget(self, repository_id: int) -> None:
        """Forgets what was shown."""
        ...


class BudgetStore(Protocol):
    """What GitHub lets installations ask, shared by all replicas."""

    async def load(self, installation_id: int) -> Budget:
        """As last heard of."""
        ...

    async def told(self, installation_id: int, points: Points) -> None:
        """After an answer."""
        ...

    async def blocked(self, installation_id: int, until: datetime) -> None:
        """After a refusal."""
        ...
