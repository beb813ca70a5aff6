"""The versions of boards: what publishing makes of a new result, and how long versions live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from laurel_leaderboard.domain.boards import BoardAddress, BoardKey, Preset, TimePeriod
from laurel_leaderboard.domain.errors import NewerVersionExists
from laurel_leaderboard.domain.freshness import Marks, stale_at


class RetentionState(StrEnum):
    """The life of a version, by the database's words."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    PURGED = "purged"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a board without its rows.

    `as_of` is the end of its window, `checked_at` when it was last found to be what the inputs
    make. The last two are set from superseding on.
    """

    id: int
    preset: Preset
    board: BoardKey
    number: int
    row_count: int
    signal_count: int
    state: RetentionState
    computed_at: datetime
    as_of: datetime
    checked_at: datetime
    superseded_at: datetime | None = None
    expires_at: datetime | None = None
    # The highest mark on its board, and the highest whose change its inputs held.
    stale_mark: int = 0
    settled_mark: int = 0

    @property
    def is_marked(self) -> bool:
        """Whether a change is known that it does not hold."""
        return self.stale_mark > self.settled_mark

    def is_of(self, address: BoardAddress) -> bool:
        """Whether it is a version of the board that `address` names."""
        return (
            self.preset.installation_id == address.installation_id
            and address.preset_id in (0, self.preset.preset_id)
            and self.preset.key_of(address) == self.board
        )

    def is_readable(self, now: datetime) -> bool:
        """Whether pages of it may still be given out."""
        if self.state is RetentionState.CURRENT:
            return True
        within = self.expires_at is not None and now < self.expires_at
        return self.state is RetentionState.SUPERSEDED and within

    def fresh_until(self) -> datetime | None:
        """When it begins to be stale; None where it is already: replaced or marked."""
        if self.state is not RetentionState.CURRENT or self.is_marked:
            return None
        return stale_at(self.board.time_period, self.checked_at)


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version and what it was made from; the rules are JSON."""

    version: Version
    rules_json: str
    input_mark: str


@dataclass(frozen=True, slots=True)
class PublishHeader:
    """What all boards of a publishing stream have in common."""

    preset: Preset
    as_of: datetime
    rules_json: str
    input_mark: str
    serve_preset: bool
    # The highest mark whose change the inputs hold.
    stale_mark: int = 0


@dataclass(frozen=True, slots=True)
class NewBoard:
    """One board of a group; `digest` names its rules and rows (SHA-256, 32 bytes)."""

    key: BoardKey
    row_count: int
    signal_count: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Boards of a period whose current versions, as of `as_of` and of `input_mark`, still hold."""

    period: TimePeriod
    as_of: datetime
    input_mark: str
    count: int


@dataclass(frozen=True, slots=True)
class Current:
    """The current version of a board as its publisher sees it."""

    id: int
    number: int
    as_of: datetime
    digest: bytes
    settled_mark: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a group does: boards (by index) that get a version, and versions that stay."""

    fresh: tuple[int, ...]
    numbers: tuple[int, ...]
    superseded: tuple[int, ...]
    unchanged: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a group: its plan; in the order of its fresh boards the ids of their versions
    and the marks that these settled.
    """

    plan: Plan
    ids: tuple[int, ...]
    settled: tuple[int, ...] = ()


def settled_marks(
    boards: Sequence[NewBoard], plan: Plan, current: Mapping[BoardKey, Current], mark: int
) -> list[int]:
    """What the plan's fresh boards settle: `mark`, and whatever their predecessors had settled.

    Inputs that are read later hold all that earlier ones held.
    """
    before = (current.get(boards[index].key) for index in plan.fresh)
    return [max(mark, known.settled_mark if known is not None else 0) for known in before]


def plan_group(
    boards: Sequence[NewBoard], current: Mapping[BoardKey, Current], as_of: datetime
) -> Plan:
    """Decides each board of a group.

    `fresh` are indices into `boards`, `numbers` their version numbers; `superseded` and
    `unchanged` are ids of current versions. Raises NewerVersionExists where one board's current
    version is as new as `as_of`.
    """
    fresh, numbers, superseded, unchanged = [], [], [], []
    for index, board in enumerate(boards):
        known = current.get(board.key)
        if known is None:
            fresh.append(index)
            numbers.append(1)
            continue
        if as_of <= known.as_of:
            raise NewerVersionExists(metadata={"materialization_id": str(known.id)})
        if known.digest == board.digest:
            unchanged.append(known.id)
            continue
        fresh.append(index)
        numbers.append(known.number + 1)
        superseded.append(known.id)
    return Plan(tuple(fresh), tuple(numbers), tuple(superseded), tuple(unchanged))


def published_versions(
    header: PublishHeader,
    boards: Sequence[NewBoard],
    done: Published,
    now: datetime,
    marks: Marks | None = None,
) -> list[Version]:
    """The versions that a group made current at `now`, `marks` on their boards."""
    settled = done.settled or (header.stale_mark,) * len(done.ids)
    numbered = zip(done.plan.fresh, done.plan.numbers, done.ids, settled, strict=True)
    marks = marks or Marks(0, {})
    return [
        Version(
            id=id_,
            preset=header.preset,
            board=boards[index].key,
            number=number,
            row_count=boards[index].row_count,
            signal_count=boards[index].signal_count,
            state=RetentionState.CURRENT,
            computed_at=now,
            as_of=header.as_of,
            checked_at=now,
            stale_mark=marks.on(boards[index].key),
            settled_mark=settled_mark,
        )
        for index, number, id_, settled_mark in numbered
    ]
