"""What each revision of an installation's signals changed: noted by writers, read by streams."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_ingest.storage.tables import signal_changes

# Whoever is further behind than this reads everything.
REVISIONS_KEPT: Final = 1_000
_FORGET_EVERY: Final = 64
# A revision that rewrote or removed more is left out of the log, which says the same.
_MOST_KEYS: Final = 20_000

_FORGET: Final = text(
    "DELETE FROM signal_changes WHERE installation_id = :installation_id AND revision < :before"
)


@dataclass(slots=True)
class Change:
    """What one revision did to one installation's signals."""

    signal_count: int = 0
    ids: tuple[int, int] | None = None
    span: tuple[datetime, datetime] | None = None
    rewritten: list[int] = field(default_factory=list)
    removed_hashes: list[bytes] = field(default_factory=list)
    removed_users: list[int] = field(default_factory=list)

    def wrote(self, count: int, ids: tuple[int, int], span: tuple[datetime, datetime]) -> None:
        """`count` new signals with ids and times between these."""
        self.signal_count += count
        known = self.ids or ids
        self.ids = min(known[0], ids[0]), max(known[1], ids[1])
        self._widen(span)

    def rewrote(self, ids: Sequence[int], span: tuple[datetime, datetime]) -> None:
        """Signals that were there, with their times as they are now."""
        self.signal_count += len(ids)
        self.rewritten += ids
        self._widen(span)

    def removed(self, hashes: Sequence[bytes], users: Sequence[int]) -> None:
        """Keys of signals that are gone or another installation's."""
        self.signal_count += len(hashes)
        self.removed_hashes += [bytes(each) for each in hashes]
        self.removed_users += users

    def join(self, other: "Change") -> None:
        """Takes in what was noted elsewhere of the same installation's signals."""
        self.signal_count += other.signal_count
        if other.ids is not None:
            known = self.ids or other.ids
            self.ids = min(known[0], other.ids[0]), max(known[1], other.ids[1])
        if other.span is not None:
            self._widen(other.span)
        self.rewritten += other.rewritten
        self.removed_hashes += other.removed_hashes
        self.removed_users += other.removed_users

    def _widen(self, span: tuple[datetime, datetime]) -> None:
        known = self.span or span
        self.span = min(known[0], span[0]), max(known[1], span[1])


async def log_changes(
    connection: AsyncConnection, revisions: Mapping[int, int], changes: Mapping[int, Change]
) -> None:
    """Notes what made these revisions, by installation."""
    rows = [
        _row(installation_id, revision, changes[installation_id])
        for installation_id, revision in revisions.items()
        if installation_id in changes
        and len(changes[installation_id].rewritten) <= _MOST_KEYS
        and len(changes[installation_id].removed_hashes) <= _MOST_KEYS
    ]
    if rows:
        await connection.execute(insert(signal_changes), rows)
    for installation_id, revision in revisions.items():
        if revision % _FORGET_EVERY == 0:
            values = {"installation_id": installation_id, "before": revision - REVISIONS_KEPT}
            await connection.execute(_FORGET, values)


def _row(installation_id: int, revision: int, change: Change) -> dict[str, Any]:
    first_id, last_id = change.ids or (None, None)
    first, last = change.span or (None, None)
    return {
        "installation_id": installation_id,
        "revision": revision,
        "signal_count": change.signal_count,
        "first_signal_id": first_id,
        "last_signal_id": last_id,
        "first_event_timestamp": first,
        "last_event_timestamp": last,
        "rewritten_ids": change.rewritten,
        "removed_hashes": change.removed_hashes,
        "removed_user_ids": change.removed_users,
    }


@dataclass(frozen=True, slots=True)
class Delta:
    """Everything that several revisions changed, one after the other."""

    id_ranges: Sequence[tuple[int, int]]
    ids: Sequence[int]
    span: tuple[datetime, datetime] | None
    removed: Sequence[tuple[bytes, int]]


SELECT_CHANGES: Final = (
    "SELECT revision, signal_count, first_signal_id, last_signal_id, first_event_timestamp,"
    " last_event_timestamp, rewritten_ids, removed_hashes, removed_user_ids"
    " FROM signal_changes WHERE installation_id = $1 AND revision > $2 ORDER BY revision"
)
# A range holds ids that other writers took meanwhile: so many are no reason to have two.
_NEAR: Final = 2_000
# Of a growing statement nobody gains; the whole is read as fast.
_LEAST, _SHARE = 10_000, 8


def delta_of(
    rows: Sequence[Sequence[Any]], since: int, revision: int, signal_count: int
) -> Delta | None:
    """The changes between two revisions; None where one of them was not noted, or they are so many
    that everything is read as soon.
    """
    if [row[0] for row in rows] != list(range(since + 1, revision + 1)):
        return None
    if sum(row[1] for row in rows) > max(_LEAST, signal_count // _SHARE):
        return None
    spans = [(row[4], row[5]) for row in rows if row[4] is not None]
    span = None
    if spans:
        span = min(first for first, _ in spans), max(last for _, last in spans)
    return Delta(
        _joined((row[2], row[3]) for row in rows if row[2] is not None),
        sorted({each for row in rows for each in row[6]}),
        span,
        [key for row in rows for key in zip(row[7], row[8], strict=True)],
    )


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order, those that lie close to each other made one."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first - joined[-1][1] <= _NEAR:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined
