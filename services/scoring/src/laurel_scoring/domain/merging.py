"""An installation's columns kept in order, and brought up to date by what has changed."""

# Compiled code takes bare arrays, by position.
# mypy: allow-untyped-defs, allow-untyped-calls
# ruff: noqa: PLR0917

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from laurel_scoring.domain.columns import (
    HASH_BYTES,
    Bytes,
    Flags,
    Int32s,
    Int64s,
    Signals,
)
from laurel_scoring.domain.compiling import compiled
from laurel_scoring.domain.ordering import total_order
from laurel_scoring.domain.vocabulary import SignalType

_COMMIT = int(SignalType.COMMIT)
_INDEXED = ("user", "repository")
_IDS = ("users", "repositories")


@dataclass(frozen=True)
class Pairs:
    """Who was touched where: ids of users and repositories, of equal length, each pair once."""

    users: Int64s
    repositories: Int64s

    @classmethod
    def none(cls) -> "Pairs":
        """Nobody, nowhere."""
        nothing = np.empty(0, dtype=np.int64)
        return cls(nothing, nothing)

    def __len__(self) -> int:
        return len(self.users)

    def with_others(self, *others: "Pairs") -> "Pairs":
        """These and the others', each once."""
        everyone = [self, *others]
        both = np.stack(
            [
                np.concatenate([each.users for each in everyone]),
                np.concatenate([each.repositories for each in everyone]),
            ]
        )
        distinct = np.unique(both, axis=1)
        return Pairs(distinct[0], distinct[1])


@dataclass(frozen=True)
class SignalChanges:
    """What became of an installation's signals: `written` are new or take the place of those of
    the same key; removed_hashes (m x 32) and removed_users are the keys of those that are gone.

    A key is the content hash and, of a commit, the user; 0 of all other types.
    """

    written: Signals
    removed_hashes: Bytes
    removed_users: Int64s


def in_order(signals: Signals) -> Signals:
    """The same signals in their total order."""
    return _taken(signals, total_order(signals))


def up_to(signals: Signals, last: int) -> Signals:
    """Those of ordered signals that happened at `last` (microseconds) or before."""
    end = int(np.searchsorted(signals.event_timestamp, last, side="right"))
    return signals if end == len(signals) else _compact(_taken(signals, slice(0, end)))


def no_later(signals: Signals, last: int) -> Signals:
    """The same of signals in whatever order."""
    inside = signals.event_timestamp <= last
    return signals if bool(inside.all()) else _compact(_taken(signals, inside))


def pairs_of(signals: Signals, rows: Any) -> Pairs:
    """The pairs of some of the signals, by their positions."""
    user, repository = signals.user[rows], signals.repository[rows]
    key = user.astype(np.int64) * max(len(signals.repositories), 1) + repository
    _, first = np.unique(key, return_index=True)
    return Pairs(signals.users[user[first]], signals.repositories[repository[first]])


def merged(known: Signals, changes: SignalChanges) -> tuple[Signals, Pairs]:
    """Ordered signals with what has changed, in order, and whom that touched."""
    written = changes.written
    gone = _gone(known, changes)
    touched = pairs_of(known, np.flatnonzero(gone)).with_others(
        pairs_of(written, np.arange(len(written)))
    )
    if not len(touched):
        return known, touched
    rest = _taken(known, ~gone) if bool(gone.any()) else known
    return _compact(_joined(rest, in_order(written))), touched


def nbytes(signals: Signals) -> int:
    """The memory that signals take."""
    return sum(getattr(signals, each.name).nbytes for each in fields(signals))


def _gone(known: Signals, changes: SignalChanges) -> Flags:
    """Which of the known signals are gone, or written anew."""
    written = changes.written
    hashes = np.concatenate([changes.removed_hashes.reshape(-1, 32), written.content_hash])
    users = np.concatenate([changes.removed_users, _credited(written)])
    if not len(hashes) or not len(known):
        return np.zeros(len(known), dtype=np.bool_)
    words = np.ascontiguousarray(hashes).view(np.uint64).reshape(-1, 4)
    known_words = np.ascontiguousarray(known.content_hash).view(np.uint64).reshape(-1, 4)
    gone: Flags = _find(known_words, known.type, known.user, known.users, words, users)
    return gone


def _credited(signals: Signals) -> Int64s:
    ids: Int64s = np.where(signals.type == _COMMIT, signals.users[signals.user], 0).astype(np.int64)
    return ids


@compiled
def _find(known, types, user, user_ids, words, users):
    """Which rows of `known` have one of the keys (words, users): a table of open addresses."""
    size = 16
    while size < 4 * len(words):
        size *= 2
    table = np.full(size, -1, dtype=np.int64)
    for key in range(len(words)):
        at = np.int64(words[key, 0] & np.uint64(size - 1))
        while table[at] >= 0:
            at = (at + 1) & (size - 1)
        table[at] = key
    found = np.zeros(len(known), dtype=np.bool_)
    for row in range(len(known)):
        at = np.int64(known[row, 0] & np.uint64(size - 1))
        while table[at] >= 0:
            key = table[at]
            credited = user_ids[user[row]] if types[row] == _COMMIT else 0
            if (
                known[row, 0] == words[key, 0]
                and known[row, 1] == words[key, 1]
                and known[row, 2] == words[key, 2]
                and known[row, 3] == words[key, 3]
                and credited == users[key]
            ):
                found[row] = True
                break
            at = (at + 1) & (size - 1)
    return found


def _joined(known: Signals, added: Signals) -> Signals:
    """Two ordered sets of signals as one: what was added goes between the known ones, which are
    copied as they stand.
    """
    if not len(added):
        return known
    at = _places(*_sort_keys(known), *_sort_keys(added))
    columns: dict[str, npt.NDArray[Any]] = {}
    for name, ids in zip(_INDEXED, _IDS, strict=True):
        union = np.union1d(getattr(known, ids), getattr(added, ids))
        columns[ids] = union
        one, other = (_renumbered(each, name, ids, union) for each in (known, added))
        columns[name] = np.insert(one, at, other)
    for each in fields(Signals):
        if each.name not in columns:
            one, other = (_flat(getattr(signals, each.name)) for signals in (known, added))
            columns[each.name] = np.insert(one, at, other)
    columns["content_hash"] = columns["content_hash"].view(np.uint8).reshape(-1, HASH_BYTES)
    return Signals(**columns)


def _sort_keys(signals: Signals) -> tuple[npt.NDArray[Any], ...]:
    """What total_order sorts by."""
    return (
        signals.event_timestamp,
        signals.type,
        signals.content_hash,
        signals.user,
        signals.users,
    )


@compiled
def _places(
    when, types, hashes, user, user_ids, new_when, new_types, new_hashes, new_user, new_ids
):
    """Before which of the ordered known signals each of the ordered new ones belongs."""
    places = np.empty(len(new_when), dtype=np.int64)
    first = 0
    for new in range(len(new_when)):
        end = len(when)
        while first < end:
            row = (first + end) // 2
            later = np.int64(when[row]) - new_when[new]
            if later == 0:
                later = np.int64(types[row]) - np.int64(new_types[new])
            byte = 0
            while later == 0 and byte < HASH_BYTES:
                later = np.int64(hashes[row, byte]) - np.int64(new_hashes[new, byte])
                byte += 1
            if later == 0:
                later = user_ids[user[row]] - new_ids[new_user[new]]
            if later < 0:
                first = row + 1
            else:
                end = row
        places[new] = first
    return places


def _renumbered(signals: Signals, name: str, ids: str, union: Int64s) -> Int32s:
    own: Int64s = getattr(signals, ids)
    column: Int32s = getattr(signals, name)
    if len(own) == len(union):
        return column
    place = np.searchsorted(union, own).astype(np.int32)
    return place[column]


def _taken(signals: Signals, rows: Any) -> Signals:
    """Some rows; the ids stay as they are."""
    columns = {
        each.name: _flat(getattr(signals, each.name))[rows]
        for each in fields(signals)
        if each.name not in _IDS
    }
    columns["content_hash"] = columns["content_hash"].view(np.uint8).reshape(-1, HASH_BYTES)
    return replace(signals, **columns)


def _flat(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A column with one item a row: hashes are copied whole, not byte by byte."""
    if column.ndim == 1:
        return column
    return np.ascontiguousarray(column).view(f"V{HASH_BYTES}").reshape(-1)


def _compact(signals: Signals) -> Signals:
    """Without ids that no signal has any more: nobody may count who did nothing."""
    for name, ids in zip(_INDEXED, _IDS, strict=True):
        column, known = getattr(signals, name), getattr(signals, ids)
        used = np.bincount(column, minlength=len(known)) > 0
        if not bool(used.all()):
            place = (np.cumsum(used) - 1).astype(np.int32)
            signals = replace(signals, **{name: place[column], ids: known[used]})
    return signals
