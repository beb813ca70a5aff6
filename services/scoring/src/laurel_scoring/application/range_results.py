"""Boards over ranges in this process's memory: bounded in bytes, the least recently used go first.

They are there for the further pages of a walk; what is asked for anew is computed anew.
"""

from collections import OrderedDict
from dataclasses import dataclass

from laurel_scoring.application.ranges import RangeKey
from laurel_scoring.domain.results import BoardFamily

# What a board costs beside its rows.
OVERHEAD_BYTES = 2_000


@dataclass(frozen=True)
class RangeResult:
    """One board by itself; `etag` names its rows and the rules that made them."""

    board: BoardFamily
    etag: str
    preset_id: int

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return self.board.nbytes + OVERHEAD_BYTES


class RangeResults:
    """At most `capacity` bytes of boards."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._results: OrderedDict[tuple[RangeKey, str], RangeResult] = OrderedDict()
        self._size = 0

    def get(self, key: RangeKey, etag: str) -> RangeResult | None:
        """The result, which is now the most recently used."""
        found = self._results.get((key, etag))
        if found is not None:
            self._results.move_to_end((key, etag))
        return found

    def put(self, key: RangeKey, result: RangeResult) -> None:
        """Keeps a result; one that is larger than all there is room for is not kept."""
        place = key, result.etag
        former = self._results.pop(place, None)
        if former is not None:
            self._size -= former.size
        if result.size > self._capacity:
            return
        self._results[place] = result
        self._size += result.size
        while self._size > self._capacity:
            _, gone = self._results.popitem(last=False)
            self._size -= gone.size
