"""Tells watchers of boards of each change; ten thousand of them cost one computation a change."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from contextvars import Context

from laurel_common.clock import Clock
from laurel_common.surroundings import current_access
from laurel_common.tenant_places import TenantPlaces
from laurel_leaderboard.application.board_changes import BoardChanges
from laurel_leaderboard.application.current_boards import CurrentBoard, CurrentBoards
from laurel_leaderboard.application.pointers import AWAY, Pointers
from laurel_leaderboard.application.ports import ResponseCodec
from laurel_leaderboard.application.statistics import ReadStatistics
from laurel_leaderboard.application.visibility import require_board
from laurel_leaderboard.application.watched_board import RETRY_SECONDS, WatchedBoard
from laurel_leaderboard.domain.boards import BoardAddress
from laurel_leaderboard.domain.errors import BoardNotFound


class WatchLeaderboard:
    """All watchers of this process."""

    def __init__(
        self,
        *,
        boards: CurrentBoards,
        pointers: Pointers,
        changes: BoardChanges,
        codec: ResponseCodec,
        clock: Clock,
        places: TenantPlaces,
        statistics: ReadStatistics,
    ) -> None:
        self._boards = boards
        self._pointers = pointers
        self._changes = changes
        self._codec = codec
        self._clock = clock
        self._places = places
        self._statistics = statistics
        self._watched: dict[BoardAddress, tuple[WatchedBoard, asyncio.Task[None]]] = {}

    async def __call__(self, address: BoardAddress, seen: int) -> AsyncGenerator[bytes]:
        """Messages, as soon as another version than `seen` is current, until somebody ends it.

        Raises BoardNotFound, VersionNotFound, InstallationBusy, Overloaded, or what PostgreSQL's
        absence means, where nothing is remembered.
        """
        with self._places.place(address.installation_id):
            found = await self._boards.find(address)
            with self._watching(address, found) as watched:
                while True:
                    access = current_access()
                    require_board(access, address)
                    if watched.is_gone:
                        raise BoardNotFound
                    if watched.board.version.id == seen:
                        await watched.news()
                        continue
                    try:
                        seen, data = await watched.change_since(seen, access)
                    except AWAY:
                        await asyncio.sleep(RETRY_SECONDS)
                        continue
                    yield data

    def wake(self, installation_id: int | None = None) -> None:
        """Has an installation's watched boards looked at, or all."""
        for address, (watched, _) in self._watched.items():
            if installation_id is None or address.installation_id == installation_id:
                watched.wake()

    @contextmanager
    def _watching(self, address: BoardAddress, found: CurrentBoard) -> Iterator[WatchedBoard]:
        if address not in self._watched:
            watched = WatchedBoard(
                address,
                found,
                pointers=self._pointers,
                changes=self._changes,
                codec=self._codec,
                clock=self._clock,
            )
            # In a context of its own: it serves everybody, not the call that came first.
            follower = asyncio.get_running_loop().create_task(watched.follow(), context=Context())
            self._watched[address] = watched, follower
        watched, follower = self._watched[address]
        watched.watchers += 1
        self._statistics.watchers += 1
        try:
            yield watched
        finally:
            self._statistics.watchers -= 1
            watched.watchers -= 1
            if not watched.watchers:
                follower.cancel()
                del self._watched[address]
