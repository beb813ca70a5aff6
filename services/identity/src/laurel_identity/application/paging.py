"""Pages by key: a list is asked for one row more than it answers with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class PageRequest(Generic[K]):
    """At most `size` rows with keys above `after`; None is the beginning."""

    size: int
    after: K | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T, K]):
    """Some rows of a list; `next_after` is None on the last page."""

    rows: Sequence[T]
    next_after: K | None


def page_of(rows: Sequence[T], size: int, key: Callable[[T], K]) -> Page[T, K]:
    """The page of at most `size` rows that a query with limit `size` + 1 found."""
    if len(rows) <= size:
        return Page(rows, None)
    return Page(rows[:size], key(rows[size - 1]))
