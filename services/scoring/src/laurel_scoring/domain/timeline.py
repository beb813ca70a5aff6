"""Signals in the one total order that scores depend on, packed for the compiled pass."""

# Compiled code takes bare arrays, by position.
# mypy: allow-untyped-defs, allow-untyped-calls

from dataclasses import dataclass
from typing import Self

import numpy as np

from laurel_scoring.domain.columns import Int32s, Int64s, Signals
from laurel_scoring.domain.compiling import compiled
from laurel_scoring.domain.ordering import total_order
from laurel_scoring.domain.parallel import in_parts
from laurel_scoring.domain.periods import DAY_US
from laurel_scoring.domain.vocabulary import SignalType

_COMMIT = int(SignalType.COMMIT)


@compiled
def _pack(columns, packed):
    """Packs all that is read of a signal into four neighbouring words, in the order given."""
    when, types, values, flags, states, additions, deletions, user, repository = columns
    for i in range(len(packed)):
        packed[i, 0] = when[i]
        packed[i, 1] = (
            np.int64(states[i] & 0x3)
            | np.int64(flags[i] & 0x3F) << 2
            | np.int64(types[i]) << 8
            | np.int64(values[i]) << 12
            | when[i] // DAY_US << 36
        )
        lines = np.int64(additions[i]) | np.int64(deletions[i]) << 32
        packed[i, 2] = lines if types[i] == _COMMIT else 0
        packed[i, 3] = np.int64(user[i]) | np.int64(repository[i]) << 32


@compiled
def _place(order, packed, laid_out):
    """Lays packed signals out in their order: each is one visit to memory, not nine."""
    when, words, user, repository = laid_out
    for j in range(len(order)):
        i = order[j]
        when[j] = packed[i, 0]
        words[j, 0] = packed[i, 1]
        words[j, 1] = packed[i, 2]
        user[j] = packed[i, 3] & 0xFFFFFFFF
        repository[j] = packed[i, 3] >> 32


@dataclass(frozen=True)
class Timeline:
    """Signals oldest first; positions ascend in time.

    event_timestamp: microseconds since 1970 UTC. words: n x 2, what else the compiled pass reads
    of a signal. The first, from its lowest bit on: review state (2 bits), flags (6), type (4),
    value in ten-thousandths (24), UTC day since 1970 (28, signed); the second: a commit's
    additions and deletions (32 each). user, repository: positions in users, repositories. source:
    each position's row in the columns that the timeline was made of.
    """

    event_timestamp: Int64s
    words: Int64s
    user: Int32s
    repository: Int32s
    source: Int32s
    users: Int64s
    repositories: Int64s

    @classmethod
    def of(cls, signals: Signals) -> Self:
        """Sorts and packs `signals`; their own columns are not kept."""
        columns = (
            signals.event_timestamp,
            signals.type,
            signals.value_e4,
            signals.flags,
            signals.review_state,
            signals.additions,
            signals.deletions,
            signals.user,
            signals.repository,
        )
        packed = np.empty((len(signals), 4), dtype=np.int64)
        laid_out = (
            np.empty(len(signals), dtype=np.int64),
            np.empty((len(signals), 2), dtype=np.int64),
            np.empty(len(signals), dtype=np.int32),
            np.empty(len(signals), dtype=np.int32),
        )

        def pack(first: int, end: int) -> None:
            _pack(tuple(each[first:end] for each in columns), packed[first:end])

        def place(first: int, end: int) -> None:
            _place(order[first:end], packed, tuple(each[first:end] for each in laid_out))

        rows = np.arange(len(signals) + 1)
        in_parts(pack, rows)
        order = total_order(signals)
        in_parts(place, rows)
        return cls(*laid_out, order, signals.users, signals.repositories)

    def __len__(self) -> int:
        return len(self.words)

    def flags(self) -> Int64s:
        """The SignalFlag bits of every signal."""
        return self.words[:, 0] >> 2 & 0x3F
