"""What scoring needs of the world, and what whoever provides it is obliged to."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from laurel_scoring.domain.columns import Signals
from laurel_scoring.domain.digests import FamilyChanges
from laurel_scoring.domain.github_links import Reference
from laurel_scoring.domain.merging import Pairs
from laurel_scoring.domain.presets import Preset, PresetEdit
from laurel_scoring.domain.roster import Roster
from laurel_scoring.domain.rules import RuleSet
from laurel_scoring.domain.runs import Change, Progress, Run, RunResult
from laurel_scoring.domain.vocabulary import EntityType, ScopeType, TimePeriod


class PresetStore(Protocol):
    """The presets of all installations."""

    async def ensure_default(self, installation_id: int, rules: RuleSet) -> None:
        """Makes the preset `default` with `rules`, active, unless the installation has presets.

        Idempotent, whole or not at all, also when two callers race. Raises InstallationNotFound.
        """
        ...

    async def get(self, installation_id: int, preset_id: int) -> Preset:
        """One preset; 0 means the active one. Raises PresetNotFound."""
        ...

    async def list_after(self, installation_id: int, after_id: int, limit: int) -> list[Preset]:
        """At most `limit` presets with ids above `after_id`, by id."""
        ...


@dataclass(frozen=True)
class Actor:
    """Who changes something: the kind of caller, and the key's name or the user's login."""

    kind: str
    name: str


class PresetEditor(Protocol):
    """Changes presets. Each change is whole or not at all, one at a time an installation, and
    noted in the audit log with it; what has to be scored is asked for in the same breath.
    """

    async def create(
        self,
        installation_id: int,
        name: str,
        rules: RuleSet,
        *,
        request_id: str,
        by: Actor,
        now: datetime,
    ) -> Preset:
        """A new preset, or the one that `request_id` made before; "" never made one.

        Raises InstallationNotFound, PresetNameTaken, InvalidRequest where request_id was used
        for another preset.
        """
        ...

    async def update(
        self, installation_id: int, preset_id: int, edit: PresetEdit, *, by: Actor, now: datetime
    ) -> tuple[Preset, Run | None]:
        """Applies `edit`; the run where the active preset's rules changed.

        Raises PresetNotFound, PresetNameTaken and what PresetEdit.apply raises.
        """
        ...

    async def delete(
        self, installation_id: int, preset_id: int, etag: str, *, by: Actor, now: datetime
    ) -> None:
        """Deletes a preset of this etag, "" of any. Raises PresetNotFound, PresetProtected,
        EtagStale.
        """
        ...

    async def activate(
        self, installation_id: int, preset_id: int, *, by: Actor, now: datetime
    ) -> tuple[Preset, Run]:
        """Makes a preset the only active one and asks for a run. Raises PresetNotFound."""
        ...


class PresetAdopter(Protocol):
    """Makes presets another installation's."""

    async def adopt(
        self, former: int, later: int, *, by: Actor, now: datetime
    ) -> tuple[int, Run | None]:
        """Moves the former installation's presets with their changes and past runs, in the place
        of the later one's that have their names; how many, and the run that is asked for in the
        same breath if there were any. Open runs of the former one end. Wholly or not at all.

        Raises InstallationNotFound.
        """
        ...


class RunStore(Protocol):
    """The runs of all installations: what is open here will be worked on, come what may."""

    async def request(
        self, installation_id: int, *, request_id: str, requested_by: str, now: datetime
    ) -> Run:
        """The run that answers a request: a waiting one, or a new one and its job, at once.

        A request_id that was answered before is answered with the same run; "" never was.
        Raises InstallationNotFound.
        """
        ...

    async def get(self, installation_id: int, run_id: int) -> Run:
        """One run. Raises ScoringNotFound."""
        ...

    async def get_many(self, run_ids: Collection[int]) -> dict[int, Run]:
        """Those of these runs that there are, by id."""
        ...

    async def claim(self, installation_id: int, now: datetime) -> Run | None:
        """Begins an attempt at the installation's oldest open run; None where none is open.

        A run that a killed process left running is open. `attempts` of the result is this
        attempt's number, which every later change of the run has to name.
        """
        ...

    async def note(self, run: Run, progress: Progress) -> None:
        """Notes how far the attempt is; without effect where another attempt has begun."""
        ...

    async def succeed(self, run: Run, result: RunResult, now: datetime) -> None:
        """Ends the attempt well; without effect where another attempt has begun."""
        ...

    async def retry(self, run: Run, reason: str, at: datetime) -> None:
        """Notes why the attempt ended and asks for another one at `at`."""
        ...

    async def fail(self, run: Run, reason: str, now: datetime) -> None:
        """Gives the run up; without effect where another attempt has begun."""
        ...

    async def last_success(self, preset_id: int) -> Run | None:
        """The newest run by this preset that succeeded with all periods."""
        ...

    async def newest_success(self, installation_id: int) -> int | None:
        """The number of the newest run that succeeded, with whatever preset and periods."""
        ...

    async def due_periods(self, installation_id: int, by: datetime) -> frozenset[TimePeriod]:
        """The periods whose boards have to be computed again by a time."""
        ...

    async def request_due(self, now: datetime, *, limit: int) -> int:
        """Asks for runs of at most `limit` installations that are due and have none open; how many
        there were. What others ask for at the same time is not asked for again.
        """
        ...

    async def forget_ended(self, before: datetime) -> int:
        """Forgets runs that ended before, unless last_success answers them; how many."""
        ...


OnRead = Callable[[int, int], None]
"""Called with how many signals were read by now, and how many there are, as was last counted."""


@dataclass(frozen=True)
class SignalsRead:
    """Signals of one snapshot, ingest's mark of it, and the installation's own bots.

    changed: whom the changes since the same reader's last snapshot touched; None where that is
    not known.
    """

    signals: Signals
    mark: str
    bots: frozenset[int]
    changed: Pairs | None = None


@dataclass(frozen=True)
class Part:
    """A part of an installation's signals: from `since` on, of these users on these repositories.

    None and empty mean all.
    """

    since: datetime | None = None
    user_ids: Collection[int] = ()
    repository_ids: Collection[int] = ()


WHOLE = Part()


class AllSignals(Protocol):
    """Whoever has an installation's signals."""

    async def read(
        self, installation_id: int, *, until: datetime, on_read: OnRead | None = None
    ) -> SignalsRead:
        """Every signal up to and including `until`. Raises RemoteError."""
        ...


class SignalSource(Protocol):
    """Ingest."""

    async def read(
        self,
        installation_id: int,
        *,
        until: datetime,
        part: Part = WHOLE,
        on_read: OnRead | None = None,
    ) -> SignalsRead:
        """The signals of `part` up to and including `until`. Raises RemoteError."""
        ...

    async def references(
        self, installation_id: int, *, until: datetime, part: Part, wanted: Collection[bytes]
    ) -> Mapping[bytes, Reference]:
        """What the signals of these content hashes are about, by hash; those of `part` up to and
        including `until` are looked through. Some may be missing. Raises RemoteError.
        """
        ...


class Directory(Protocol):
    """Identity."""

    async def roster(self, installation_id: int) -> Roster:
        """The installation's organization, repositories and teams, without bots.

        Raises RemoteError, INSTALLATION_NOT_FOUND where there is none.
        """
        ...

    async def bots(self, user_ids: Sequence[int]) -> frozenset[int]:
        """Which of these users are bots. Raises RemoteError."""
        ...

    async def names(
        self, installation_id: int, kind: EntityType, ids: Collection[int]
    ) -> Mapping[int, str]:
        """Logins, slugs or full names by id, of those that identity knows. Raises RemoteError."""
        ...


@dataclass(frozen=True)
class BoardKey:
    """One board. preset_id 0 means the one that is served, scope_id 0 with an organization the
    installation's own.
    """

    installation_id: int
    preset_id: int
    scope_type: ScopeType
    scope_id: int
    entity_type: EntityType
    time_period: TimePeriod


@dataclass(frozen=True)
class PublishedVersion:
    """The current version of a board, and what it was made of."""

    materialization_id: int
    preset_id: int
    scope_id: int
    version: int
    as_of: datetime
    rules_json: str
    input_mark: str


@dataclass(frozen=True)
class PublicationHeader:
    """What all boards of a publication have in common."""

    installation_id: int
    preset_id: int
    organization_id: int
    as_of: datetime
    rules_json: str
    input_mark: str
    periods: Sequence[TimePeriod]
    stale_mark: int = 0


@dataclass
class UnchangedBoards:
    """Boards of a period that are what they were as of `as_of`, of the inputs `input_mark`."""

    time_period: TimePeriod
    as_of: datetime
    input_mark: str
    count: int


class Boards(Protocol):
    """Leaderboard."""

    async def mark_stale(self, installation_id: int, change: Change) -> int:
        """Has all boards of the installation read as stale until a publication names the mark
        that this returns, or a later one. Raises RemoteError.
        """
        ...

    async def publish(
        self,
        header: PublicationHeader,
        families: AsyncIterator[FamilyChanges],
        on_published: Callable[[int], None] | None = None,
        unchanged: Callable[[], Sequence[UnchangedBoards]] | None = None,
    ) -> int:
        """Publishes the changed boards of `families`, each whole or not at all; then notes that the
        `unchanged` ones, asked for only then, were checked and has the preset served. How many
        there were of both. `on_published` is told how many are readable by now.

        Raises RemoteError; what was committed before stays. CONCURRENT_CHANGE where there are not
        as many unchanged boards as told.
        """
        ...

    async def current(self, key: BoardKey) -> PublishedVersion | None:
        """The board's current version; None where it has none. Raises RemoteError."""
        ...


class Places(Protocol):
    """Admits so many costly reads of an installation at once."""

    def place(self, installation_id: int) -> AbstractContextManager[None]:
        """One place while inside. Raises InstallationBusy, Overloaded."""
        ...
