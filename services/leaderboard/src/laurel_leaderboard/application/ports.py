"""What the use cases need of the world; each docstring states what an implementation owes."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

import pyarrow as pa

from laurel_common.auth.access import Access
from laurel_leaderboard.domain.boards import BoardAddress, BoardKey, EntityType, Preset, ScopeType
from laurel_leaderboard.domain.changes import BoardChange
from laurel_leaderboard.domain.comparison import Mover, MoverPlace
from laurel_leaderboard.domain.entries import Entry, Position, Profile, ScoreRow
from laurel_leaderboard.domain.freshness import Cause, Marks
from laurel_leaderboard.domain.history import (
    BoardDay,
    DaySpan,
    HistoryPlace,
    HistoryPoint,
    Progress,
    Standing,
)
from laurel_leaderboard.domain.pages import Freshness, Page, PageKey, Source
from laurel_leaderboard.domain.rows import GroupRows
from laurel_leaderboard.domain.versions import (
    NewBoard,
    Published,
    PublishHeader,
    Unchanged,
    Version,
    VersionRecord,
)


class Publications(Protocol):
    """Where versions are published. A method happens wholly or not at all."""

    async def publish_group(
        self, header: PublishHeader, boards: Sequence[NewBoard], rows: GroupRows, now: datetime
    ) -> Published:
        """Makes each changed board's rows its current version, and notes the check of the rest.

        Publishers of the same boards take turns. Raises NewerVersionExists where a current
        version is as new, ReferenceMissing, InvalidRequest, DatabaseUnavailable.
        """
        ...

    async def note_unchanged(
        self, header: PublishHeader, boards: Sequence[Unchanged], now: datetime
    ) -> Sequence[int]:
        """Notes the check of boards that are not published again; the ids of their versions.

        Raises ConcurrentChange where there are others than told, NewerVersionExists where one
        would go back in time, and then notes nothing; InvalidRequest, DatabaseUnavailable.
        """
        ...

    async def serve_preset(self, header: PublishHeader) -> None:
        """Makes the header's preset the one that its installation serves."""
        ...


class Versions(Protocol):
    """Where published versions are read. Raises DatabaseUnavailable while they can't be."""

    async def current(self, address: BoardAddress) -> Version | None:
        """The current version of a board; None where it was never scored."""
        ...

    async def by_id(self, materialization_id: int) -> Version | None:
        """A version in whatever state; None where there is none of that id."""
        ...

    async def current_of(self, installation_id: int) -> list[Version]:
        """The current versions of all boards of an installation, whatever preset scored them."""
        ...

    async def rows(self, version: Version, after: Position | None, limit: int) -> list[ScoreRow]:
        """At most `limit` rows behind `after` (None: from the top), in the board's order."""
        ...

    async def rows_before(self, version: Version, place: Position, limit: int) -> list[ScoreRow]:
        """At most `limit` rows directly before `place`, in the board's order."""
        ...

    async def rows_of(self, version: Version, ids: Collection[int]) -> list[ScoreRow]:
        """The rows of these entities, in the board's order; those without one are left out."""
        ...

    async def served_boards(
        self,
        installation_id: int,
        scope: ScopeType | None,
        after: BoardKey | None,
        limit: int,
        access: Access,
    ) -> list[Version]:
        """Current versions of the served preset's boards, by board, behind `after`; those whose
        scope `access` hides are left out.
        """
        ...

    async def records(
        self,
        installation_id: int,
        address: BoardAddress | None,
        *,
        current_only: bool,
        before_id: int | None,
        limit: int,
    ) -> list[VersionRecord]:
        """Versions of all the installation's boards, or of one, newest first, below `before_id`."""
        ...


class StaleMarks(Protocol):
    """Marks of changes that boards do not hold yet. Raises DatabaseUnavailable while away."""

    async def mark(
        self,
        installation_id: int,
        boards: Sequence[BoardAddress],
        cause: Cause,
        now: datetime,
    ) -> int:
        """Marks these boards, or all of the installation where there are none, for good once it
        returns; the mark, higher than any before. Raises ReferenceMissing where there is no such
        installation.
        """
        ...

    async def on_preset(self, preset: Preset) -> Marks:
        """The marks on the boards of a preset."""
        ...


class Retention(Protocol):
    """Takes versions through the end of their life."""

    async def retire(self, now: datetime, purge_before: datetime) -> "tuple[int, int]":
        """Expires superseded versions past their time, purges what expired before `purge_before`.

        Returns how many of each. Does nothing where another replica is at it.
        """
        ...

    async def purge_slice(self, before: datetime, limit: int) -> int:
        """Purges the versions whose retention ran out first before `before`: about `limit`, and
        all that share an instant. Returns how many; 0 means that none is left.
        """
        ...


class TeamForgetting(Protocol):
    """Where teams are forgotten, wholly or not at all."""

    async def forget(self, team_id: int) -> "tuple[list[Version], list[Version]]":
        """Deletes the versions and days of boards that cover the team, its places on all other
        versions and days. Publishers of these boards are waited for.

        Returns the versions that are gone, and those that lost a place.
        """
        ...


class DayKeeper(Protocol):
    """Keeps how boards stood at the end of each UTC day. A day of a preset is written wholly."""

    async def behind(self, last: date) -> list[Progress]:
        """The presets with boards whose days up to `last` are not all written."""
        ...

    async def write_day(self, preset_id: int, day: date) -> int | None:
        """Writes how the preset's boards stood at the end of `day`; a second time, nothing.

        Boards whose version of then has no rows any more are left out. Returns how many boards
        were written; None where another replica is at it.
        """
        ...

    async def prune(self, oldest: date, limit: int) -> int:
        """Forgets at most `limit` boards' days before `oldest`; returns how many."""
        ...


class History(Protocol):
    """How boards stood at the end of past days. Raises DatabaseUnavailable while it can't tell."""

    async def standings(
        self, version: Version, day: date, ids: Collection[int]
    ) -> Mapping[int, Standing]:
        """Where these entities stood on the version's board; those that did not are left out."""
        ...

    async def points(
        self,
        version: Version,
        ids: Sequence[int],
        days: DaySpan,
        after: HistoryPlace | None,
        limit: int,
    ) -> list[HistoryPoint]:
        """At most `limit` points of these entities on the version's board within `days`, by entity
        and day, behind `after`.
        """
        ...


class Comparisons(Protocol):
    """What differs between states of a board. Raises DatabaseUnavailable while it can't tell."""

    async def day(self, version: Version, day: date) -> BoardDay | None:
        """How the version's board stood at the end of `day`; None where that is not known."""
        ...

    async def movers(
        self, version: Version, base: Version | date, after: MoverPlace | None, limit: int
    ) -> list[Mover]:
        """At most `limit` of those who stand elsewhere in `version` than in `base`, behind
        `after`: those who stand in it, by place, then those who left, by the place they had.
        Raises VersionExpired where the rows of either are gone.
        """
        ...


class Exports(Protocol):
    """Whole versions as columns. Raises DatabaseUnavailable while they can't be read."""

    async def slice(self, version: Version, after: Position | None, limit: int) -> pa.RecordBatch:
        """At most `limit` rows behind `after` in the board's order, as STORED's columns; none
        where the version has no rows any more.
        """
        ...


class SharedCache(Protocol):
    """A cache that replicas share. Never raises: while it is away it holds and keeps nothing."""

    async def pointer(self, address: BoardAddress) -> "tuple[Version, datetime] | None":
        """The board's version as last noted, and when PostgreSQL last confirmed it."""
        ...

    async def note_pointers(self, versions: Collection[Version], confirmed_at: datetime) -> None:
        """Notes current versions; one that is newer already stays."""
        ...

    async def note_mark(self, installation_id: int, mark: int) -> None:
        """Marks all pointers of an installation, those noted already and those to come."""
        ...

    async def forget_pointers(self, versions: Collection[Version]) -> None:
        """Forgets what was noted of these versions' boards."""
        ...

    async def note_served(self, preset: Preset, confirmed_at: datetime) -> None:
        """Notes the preset that its installation serves."""
        ...

    async def forget_presets(
        self, installation_ids: Collection[int], preset_ids: Collection[int]
    ) -> None:
        """Forgets which presets the installations serve, and their marks; and whose these presets
        are.
        """
        ...

    async def page(self, key: PageKey, epoch: int) -> Page | None:
        """A page with the names of that epoch."""
        ...

    async def note_page(self, key: PageKey, epoch: int, page: Page) -> None:
        """Keeps a page until it expires."""
        ...


class Profiles(Protocol):
    """How entities are shown."""

    async def profiles(
        self, installation_id: int, kind: EntityType, ids: Collection[int]
    ) -> Mapping[int, Profile]:
        """The profiles of those that are known. Raises a LaurelError while that can't be told."""
        ...


class Logins(Protocol):
    """Whom a login means."""

    async def find(self, installation_id: int, kind: EntityType, login: str) -> int | None:
        """The id of the user with this login, the team with this slug or the repository with this
        full name, in any case; None where nothing bears it. Raises a LaurelError while that can't
        be told.
        """
        ...


class Notices(Protocol):
    """Tells every replica that boards of an installation have changed."""

    async def announce(self, installation_id: int) -> None:
        """Tells them, this one included. Never raises: pointers lapse by themselves soon after."""
        ...


class ResponseCodec(Protocol):
    """Writes parts of a GetLeaderboard answer, concatenated they are one message; and what
    watchers are told.
    """

    def change(self, change: BoardChange, hidden: Collection[int]) -> bytes:
        """A message to watchers, those of `hidden` without id and names."""
        ...

    def entries(self, entries: Sequence[Entry]) -> bytes:
        """The entries of a page."""
        ...

    def ids(self, entries: bytes) -> tuple[int, ...]:
        """Whom the entries of a page rank, in their order."""
        ...

    def masked(self, entries: bytes, hidden: Collection[int]) -> bytes:
        """The entries of a page, those of `hidden` without id, login, name and picture."""
        ...

    def header(self, version: Version) -> bytes:
        """What all pages of a version have in common."""
        ...

    def state(self, freshness: Freshness, source: Source) -> bytes:
        """What changes from read to read."""
        ...

    def token(self, page_token: str) -> bytes:
        """Where the next page begins; nothing for an empty token."""
        ...
