"""Exports a whole version of a board; memory holds one slice of it, whatever its size."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

import pyarrow as pa

from laurel_common.surroundings import current_access
from laurel_common.tenant_places import TenantPlaces
from laurel_leaderboard.application.current_boards import CurrentBoard, CurrentBoards
from laurel_leaderboard.application.entry_builder import EntryBuilder
from laurel_leaderboard.application.ports import Exports
from laurel_leaderboard.application.visibility import hidden_of
from laurel_leaderboard.domain.boards import BoardAddress
from laurel_leaderboard.domain.entries import Position
from laurel_leaderboard.domain.errors import VersionExpired
from laurel_leaderboard.domain.exports import Format, exported, writer_of
from laurel_leaderboard.domain.versions import Version

SLICE_ROWS = 5_000
PIECE_BYTES = 1024 * 1024


class ExportLeaderboard:
    """No transaction is held while names are asked for or a slow reader is waited for."""

    def __init__(
        self,
        boards: CurrentBoards,
        exports: Exports,
        builder: EntryBuilder,
        places: TenantPlaces,
    ) -> None:
        self._boards = boards
        self._exports = exports
        self._builder = builder
        self._places = places

    async def __call__(
        self, address: BoardAddress, form: Format, materialization_id: int
    ) -> AsyncGenerator[CurrentBoard | bytes]:
        """The version that is exported, then pieces of the file.

        Raises BoardNotFound, VersionNotFound, VersionExpired (also when its rows go while they
        are read), InstallationBusy, Overloaded.
        """
        with self._places.place(address.installation_id):
            if materialization_id:
                board = await self._boards.kept(address, materialization_id)
            else:
                board = await self._boards.find(address)
            yield board
            writer = writer_of(form)
            yield writer.begin()
            async for batch in self._batches(board.version):
                # Off the loop, as all work on whole columns: readers do not wait for it.
                for piece in _pieces(await asyncio.to_thread(writer.rows, batch)):
                    yield piece
            if end := writer.end():
                yield end

    async def _batches(self, version: Version) -> AsyncIterator[pa.RecordBatch]:
        after: Position | None = None
        left = version.row_count
        while left > 0:
            stored = await self._exports.slice(version, after, SLICE_ROWS)
            if stored.num_rows == 0:
                raise VersionExpired("the rows of this version are not kept any more")
            left -= stored.num_rows
            last = stored.num_rows - 1
            after = Position(
                stored.column("score_e4")[last].as_py(), stored.column("entity_id")[last].as_py()
            )
            ids = stored.column("entity_id").to_pylist()
            profiles, previous = await self._builder.described(version, ids)
            hidden = hidden_of(current_access(), version.board.entity_type, ids)
            yield await asyncio.to_thread(exported, stored, profiles, previous, hidden)


def _pieces(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), PIECE_BYTES):
        yield data[start : start + PIECE_BYTES]
