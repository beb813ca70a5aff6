"""Which version of a board is current, for those who read its rows themselves."""

from typing import NamedTuple

from laurel_common.clock import Clock
from laurel_leaderboard.application.pointers import Pointers
from laurel_leaderboard.domain.boards import BoardAddress
from laurel_leaderboard.domain.errors import BoardNotFound
from laurel_leaderboard.domain.pages import Freshness
from laurel_leaderboard.domain.versions import Version


class CurrentBoard(NamedTuple):
    """A board's current version, and whether it holds all that is known."""

    version: Version
    freshness: Freshness


class CurrentBoards:
    """The pointers that pages are found by, too."""

    def __init__(self, pointers: Pointers, clock: Clock) -> None:
        self._pointers = pointers
        self._clock = clock

    async def find(self, address: BoardAddress) -> CurrentBoard:
        """Raises BoardNotFound where the board was never scored."""
        pointer = await self._pointers.find(address)
        if pointer.version is None:
            raise BoardNotFound
        return CurrentBoard(pointer.version, pointer.freshness(self._clock.now()))
