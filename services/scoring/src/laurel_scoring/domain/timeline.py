"""Signals in the one total order that scores depend on, packed for the compiled pass."""

# Compiled code takes bare arrays, by position.
# mypy: allow-untyped-defs, allow-untyped-calls
# ruff: noqa: PLR0917

from dataclasses import dataclass
from typing import Self

import numpy as np

from laurel_scoring.domain.columns import Int32s, Int64s, Signals, total_order
from laurel_scoring.domain.compiling import compiled
from laurel_scoring.domain.parallel import in_parts


@compiled
def _pack(order, when, types, values, flags, states, additions, deletions, who, where, results):
    """Gathers what the compiled pass reads of a signal into three neighbouring words.

    Runs visit signals all over memory; one visit then costs one cache line, not seven.
    """
    words, user, repository = results
    for j in range(len(order)):
        i = order[j]
        words[j, 0] = when[i]
        words[j, 1] = (
            np.int64(values[i])
            | np.int64(types[i]) << 32
            | np.int64(states[i]) << 40
            | np.int64(flags[i]) << 48
        )
        words[j, 2] = np.int64(additions[i]) | np.int64(deletions[i]) << 32
        user[j] = who[i]
        repository[j] = where[i]


@dataclass(frozen=True)
class Timeline:
    """Signals oldest first: n x 3 words each, who and where; positions ascend in time.

    words: the timestamp; value, type, review state and flags; additions and deletions.
    user, repository: positions in users, repositories. source: each position's row in the
    columns that the timeline was made of.
    """

    words: Int64s
    user: Int32s
    repository: Int32s
    source: Int32s
    users: Int64s
    repositories: Int64s

    @classmethod
    def of(cls, signals: Signals) -> Self:
        """Sorts and packs `signals`; their own columns are not kept."""
        order = total_order(signals)
        words = np.empty((len(order), 3), dtype=np.int64)
        user, repository = np.empty_like(signals.user), np.empty_like(signals.repository)

        def pack(first: int, end: int) -> None:
            part = slice(first, end)
            _pack(
                order[part],
                signals.event_timestamp,
                signals.type,
                signals.value_e4,
                signals.flags,
                signals.review_state,
                signals.additions,
                signals.deletions,
                signals.user,
                signals.repository,
                (words[part], user[part], repository[part]),
            )

        in_parts(pack, np.arange(len(order) + 1))
        return cls(words, user, repository, order, signals.users, signals.repositories)

    def __len__(self) -> int:
        return len(self.words)

    @property
    def event_timestamp(self) -> Int64s:
        """Microseconds since 1970 UTC, ascending."""
        return self.words[:, 0]

    def flags(self) -> Int64s:
        """The SignalFlag bits of every signal."""
        return self.words[:, 1] >> 48
