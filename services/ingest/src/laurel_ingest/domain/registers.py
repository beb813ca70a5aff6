"""How what several sources say about one thing becomes one answer in any order of arrival.

Each function here is associative, commutative and idempotent: facts that are merged with them
end the same whatever came first, twice, or in which batch.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

import orjson


class Standing(IntEnum):
    """How far a source is to be believed."""

    ARCHIVE = 1
    WEBHOOK = 2
    BEST = 3


class Said(NamedTuple):
    """A value with who said it and when (epoch seconds). The value is plain JSON."""

    standing: int
    at: int
    value: Any


UNKNOWN_STANDING = 0
"""Of a value that stands only where nobody knows better, as the ghost for a deleted user."""


def best(one: Said | None, other: Said | None) -> Said | None:
    """What the better source says; of equals, what was said last."""
    return _better(one, other) if one and other else one or other


def last(one: Said | None, other: Said | None) -> Said | None:
    """What was said last; at one time, what the better source says."""
    if one is None or other is None:
        return one or other
    left, right = (one.at, one.standing), (other.at, other.standing)
    if left == right:
        return _by_value(one, other)
    return one if left > right else other


def gone(one: Said | None, other: Said | None) -> Said | None:
    """Whether a thing is no more: what was said last; at one time, that it is gone.

    An end is told as of the thing's last update, which others tell of as well.
    """
    if one is None or other is None:
        return one or other
    if one.at == other.at and one.value != other.value:
        return one if one.value else other
    return last(one, other)


def union(one: frozenset[Any], other: frozenset[Any]) -> frozenset[Any]:
    """Everything that anybody said."""
    return one | other


def earliest(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """The first time under each name."""
    merged = dict(one)
    for name, at in other.items():
        merged[name] = min(at, merged.get(name, at))
    return merged


def each_best(one: Mapping[str, Said], other: Mapping[str, Said]) -> dict[str, Said]:
    """What the better source says under each name."""
    merged = dict(one)
    for name, said in other.items():
        known = merged.get(name)
        merged[name] = said if known is None else _better(known, said)
    return merged


def either(one: bool, other: bool) -> bool:
    """Whether anybody said so."""
    return one or other


def highest(one: int, other: int) -> int:
    """The greater of two numbers."""
    return max(one, other)


def _better(one: Said, other: Said) -> Said:
    left, right = (one.standing, one.at), (other.standing, other.at)
    if left == right:
        return _by_value(one, other)
    return one if left > right else other


def _by_value(one: Said, other: Said) -> Said:
    # Two voices of one weight at one moment: any rule will do that does not ask who came first.
    if one.value == other.value:
        return one
    return max(one, other, key=lambda said: orjson.dumps(said.value))
