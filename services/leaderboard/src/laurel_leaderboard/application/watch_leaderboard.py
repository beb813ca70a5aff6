"""Tells watchers of boards of each change; ten thousand of them cost one computation a change."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from contextvars import Context

import structlog

from laurel_common.auth.access import current_access
from laurel_common.clock import Clock
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

# How often it is looked who takes nothing. Patience is counted in looks, not in time: where this
# process itself has no core to run on, nobody is to be blamed for it.
_LOOKS = 30

log = structlog.get_logger(__name__)


class WatchLeaderboard:
    """All watchers of this process. `patience` is how many seconds one may take nothing."""

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
        draining: asyncio.Event,
        patience: float,
    ) -> None:
        self._boards = boards
        self._pointers = pointers
        self._changes = changes
        self._codec = codec
        self._clock = clock
        self._places = places
        self._statistics = statistics
        self._draining = draining
        self._pause = patience / _LOOKS
        self._looks = 0
        self._watched: dict[BoardAddress, tuple[WatchedBoard, asyncio.Task[None]]] = {}
        # Since which look each watcher that is sent something has not taken it; the oldest first.
        self._sending: dict[asyncio.Task[object], int] = {}

    async def __call__(self, address: BoardAddress, seen: int) -> AsyncGenerator[bytes]:
        """Messages, as soon as another version than `seen` is current; ends when the server stops.

        Raises BoardNotFound, VersionNotFound, InstallationBusy, Overloaded, or what PostgreSQL's
        absence means, where nothing is remembered.
        """
        with self._places.place(address.installation_id):
            found = await self._boards.find(address)
            with self._watching(address, found) as watched:
                while not self._draining.is_set():
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
                    with self._while_sending():
                        yield data

    def wake(self, installation_id: int | None = None) -> None:
        """Has an installation's watched boards looked at, or all."""
        for address, (watched, _) in self._watched.items():
            if installation_id is None or address.installation_id == installation_id:
                watched.wake()

    async def run(self) -> None:
        """Cuts off those who take nothing; sends everybody home when the server stops."""
        stopping = asyncio.create_task(self._draining.wait())
        try:
            while not stopping.done():
                await asyncio.wait({stopping}, timeout=self._pause)
                self._cut_off()
            for watched, _ in self._watched.values():
                watched.tell()
        finally:
            stopping.cancel()

    def _cut_off(self) -> None:
        self._looks += 1
        for task, since in list(self._sending.items()):
            if self._looks - since <= _LOOKS:
                return
            # Nothing that is sent reaches it before what lies there: not even a reason.
            del self._sending[task]
            self._statistics.watchers_cut_off += 1
            log.info("watcher_cut_off")
            task.cancel()

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

    @contextmanager
    def _while_sending(self) -> Iterator[None]:
        task = asyncio.current_task()
        if task is not None:
            self._sending[task] = self._looks
        try:
            yield
        finally:
            if task is not None:
                self._sending.pop(task, None)
