"""The one total order of signals that scores depend on."""

# Compiled code takes bare arrays, by position.
# mypy: allow-untyped-defs, allow-untyped-calls
# ruff: noqa: PLR0917

import numpy as np

from laurel_scoring.domain.columns import Int32s, Signals
from laurel_scoring.domain.compiling import compiled

# So many signals of one moment are put in order one by one; more are sorted.
FEW = 32


def total_order(signals: Signals) -> Int32s:
    """Positions of `signals` by (event_timestamp, type, content_hash, user id).

    Plain numbers sort several times as fast as positions by a column do: each number holds a time
    from the first signal on, as finely as the bits allow, and the signal's position below it.
    What is of one moment then is few, and compared by everything that decides.
    """
    when = signals.event_timestamp
    if not len(when):
        return np.empty(0, dtype=np.int32)
    bits = len(when).bit_length()
    first, last = int(when.min()), int(when.max())
    coarser = max((last - first).bit_length() + bits - 64, 0)
    keys = when.view(np.uint64) - np.uint64(first % 2**64)
    keys >>= np.uint64(coarser)
    keys <<= np.uint64(bits)
    keys |= np.arange(len(when), dtype=np.uint64)
    if not bool(np.all(when[1:] >= when[:-1])):
        keys.sort()
    # Other arrays than plain ones would be compiled for by themselves.
    hashes = np.require(signals.content_hash, requirements=["C", "W"])
    columns = (when, signals.type, hashes, signals.user)
    order, crowded = _settled(keys, np.uint64(bits), *columns)
    if crowded:
        _sort_moments(order, keys >> np.uint64(bits), *columns)
    result: Int32s = order
    return result


@compiled
def is_later(one, other, when, types, hashes, user):
    """Whether signal `one` comes after `other`."""
    if when[one] != when[other]:
        return when[one] > when[other]
    if types[one] != types[other]:
        return types[one] > types[other]
    for byte in range(hashes.shape[1]):
        if hashes[one, byte] != hashes[other, byte]:
            return hashes[one, byte] > hashes[other, byte]
    return user[one] > user[other]


@compiled
def _settled(keys, bits, when, types, hashes, user):
    """The positions below the sorted keys, those of one moment in order among themselves; and
    whether so many are of one moment that they were left as they are.
    """
    order = np.empty(len(keys), dtype=np.int32)
    low = (np.uint64(1) << bits) - np.uint64(1)
    first, crowded = 0, False
    for j in range(len(keys)):
        position = np.int32(keys[j] & low)
        at = j
        if keys[j] >> bits != keys[first] >> bits:
            first = j
        elif j - first >= FEW:
            crowded = True
        else:
            while at > first and is_later(order[at - 1], position, when, types, hashes, user):
                order[at] = order[at - 1]
                at -= 1
        order[at] = position
    return order, crowded


def _sort_moments(order, moment, when, types, hashes, user):
    """Puts the signals of each moment in order, however many it has."""
    same = np.zeros(len(moment) + 1, dtype=np.bool_)
    np.equal(moment[1:], moment[:-1], out=same[1:-1])
    tied = np.flatnonzero(same[:-1] | same[1:])
    rows = order[tied]
    words = [hashes[rows].view(">u8")[:, part].astype(np.uint64) for part in (3, 2, 1, 0)]
    order[tied] = rows[np.lexsort((user[rows], *words, types[rows], when[rows]))]
