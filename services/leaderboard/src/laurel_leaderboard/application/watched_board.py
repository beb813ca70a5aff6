"""A board that is watched: its current version, and what its watchers are told, made once."""

import asyncio
from contextlib import suppress

import structlog

from laurel_common.auth.access import Access
from laurel_common.clock import Clock
from laurel_common.single_flight import SingleFlight
from laurel_leaderboard.application.board_changes import BoardChanges
from laurel_leaderboard.application.current_boards import CurrentBoard
from laurel_leaderboard.application.pointers import AWAY, Pointers
from laurel_leaderboard.application.ports import ResponseCodec
from laurel_leaderboard.application.visibility import hidden_of
from laurel_leaderboard.domain.boards import BoardAddress
from laurel_leaderboard.domain.changes import BoardChange
from laurel_leaderboard.domain.errors import VersionNotFound

# Notices tell of changes; this finds what a publisher that died after its commit told nobody.
POLL_SECONDS = 5.0
RETRY_SECONDS = 1.0
FLIGHT_SECONDS = 10.0

log = structlog.get_logger(__name__)


class WatchedBoard:
    """A watcher holds no queue, but the id of the version that it was told of last: one that is
    slow is told the way from there to the current version, in one piece.
    """

    def __init__(
        self,
        address: BoardAddress,
        board: CurrentBoard,
        *,
        pointers: Pointers,
        changes: BoardChanges,
        codec: ResponseCodec,
        clock: Clock,
    ) -> None:
        self.address = address
        self.board = board
        self.watchers = 0
        # Whether there is no such board any more.
        self.is_gone = False
        self._pointers = pointers
        self._changes = changes
        self._codec = codec
        self._clock = clock
        self._woken = asyncio.Event()
        self._news = asyncio.Event()
        self._flights = SingleFlight[tuple[int, int], BoardChange](seconds=FLIGHT_SECONDS)
        # What the current version changes, by the version before; and that as bytes, by what of
        # it is hidden from the watcher.
        self._made: dict[int, BoardChange] = {}
        self._written: dict[tuple[int, frozenset[int]], bytes] = {}

    def wake(self) -> None:
        """Has the follower look which version is current."""
        self._woken.set()

    def tell(self) -> None:
        """Has all watchers look up."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def news(self) -> None:
        """Waits for the next `tell`."""
        await self._news.wait()

    async def follow(self) -> None:
        """Keeps `board` current, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self._look()
            except AWAY as error:
                log.info("watched_board_unknown", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                self.wake()
            except Exception:  # a fault in one look must not end all later ones
                log.exception("watch_failed")

    async def _look(self) -> None:
        pointer = await self._pointers.find(self.address)
        version, shown = pointer.version, self.board.version
        if version is None:
            self.is_gone = True
            self.tell()
            return
        self.is_gone = False
        older = version.preset == shown.preset and version.number < shown.number
        if version.id == shown.id or older:
            return
        self.board = CurrentBoard(version, pointer.freshness(self._clock.now()))
        self._made.clear()
        self._written.clear()
        self.tell()

    async def change_since(self, seen: int, access: Access) -> tuple[int, bytes]:
        """The id of the current version, and the message that tells one who has version `seen` of
        it. Raises VersionNotFound where the board has no version `seen`.
        """
        board = self.board
        change = self._made.get(seen)
        if change is None:
            key = (seen, board.version.id)
            change = await self._flights.run(key, lambda: self._make(seen, board))
        hidden = hidden_of(access, board.version.board.entity_type, change.ids())
        if change is not self._made.get(seen):
            # There is a newer version by now: this one is not kept.
            return change.version.id, self._codec.change(change, hidden)
        data = self._written.get((seen, hidden))
        if data is None:
            data = self._written[seen, hidden] = self._codec.change(change, hidden)
        return change.version.id, data

    async def _make(self, seen: int, board: CurrentBoard) -> BoardChange:
        base = None
        if seen:
            base = (await self._pointers.walked(seen, self.address)).version
            if base is None or not base.is_of(self.address):
                raise VersionNotFound
            if not base.is_readable(self._clock.now()):
                base = None
        change = await self._changes.between(base, board)
        if board is self.board:
            self._made[seen] = change
        return change
