"""Which version of a board is meant, for those who read its rows themselves."""

from typing import NamedTuple

from laurel_common.clock import Clock
from laurel_common.surroundings import current_access
from laurel_leaderboard.application.pointers import Pointers
from laurel_leaderboard.application.visibility import require_board
from laurel_leaderboard.domain.boards import BoardAddress
from laurel_leaderboard.domain.errors import BoardNotFound, VersionExpired, VersionNotFound
from laurel_leaderboard.domain.pages import Freshness
from laurel_leaderboard.domain.versions import Version


class CurrentBoard(NamedTuple):
    """A version of a board, and whether it holds all that is known."""

    version: Version
    freshness: Freshness


class CurrentBoards:
    """The boards that the running call's caller may see, by the pointers of their pages."""

    def __init__(self, pointers: Pointers, clock: Clock) -> None:
        self._pointers = pointers
        self._clock = clock

    async def find(self, address: BoardAddress) -> CurrentBoard:
        """The current version. Raises BoardNotFound where the board was never scored."""
        require_board(current_access(), address)
        pointer = await self._pointers.find(address)
        if pointer.version is None:
            raise BoardNotFound
        return CurrentBoard(pointer.version, pointer.freshness(self._clock.now()))

    async def kept(self, address: BoardAddress, materialization_id: int) -> CurrentBoard:
        """The version of this id. Raises BoardNotFound, VersionNotFound where the board has none,
        VersionExpired where it is not kept any more.
        """
        require_board(current_access(), address)
        pointer = await self._pointers.walked(materialization_id, address)
        now = self._clock.now()
        if pointer.version is None or not pointer.version.is_of(address):
            raise VersionNotFound
        if not pointer.version.is_readable(now):
            raise VersionExpired("this version is not kept any more")
        return CurrentBoard(pointer.version, pointer.freshness(now))
