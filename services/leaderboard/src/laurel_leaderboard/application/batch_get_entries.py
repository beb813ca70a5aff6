"""Reads some entities on a board."""

from collections.abc import Sequence
from typing import NamedTuple

from laurel_common.surroundings import current_access
from laurel_leaderboard.application.current_boards import CurrentBoard, CurrentBoards
from laurel_leaderboard.application.entry_builder import EntryBuilder
from laurel_leaderboard.application.ports import Versions
from laurel_leaderboard.application.visibility import hidden_of
from laurel_leaderboard.domain.boards import BoardAddress
from laurel_leaderboard.domain.entries import Entry


class Batch(NamedTuple):
    """Those who stand on the board, by rank, and those who don't, in the order asked for."""

    board: CurrentBoard
    entries: list[Entry]
    missing: list[int]


class BatchGetEntries:
    """All entries are of one version."""

    def __init__(self, boards: CurrentBoards, versions: Versions, builder: EntryBuilder) -> None:
        self._boards = boards
        self._versions = versions
        self._builder = builder

    async def __call__(self, address: BoardAddress, ids: Sequence[int]) -> Batch:
        """Raises BoardNotFound; entities without a place are told of, no error, and those that are
        hidden from the caller likewise.
        """
        board = await self._boards.find(address)
        hidden = hidden_of(current_access(), board.version.board.entity_type, ids)
        rows = await self._versions.rows_of(board.version, [i for i in ids if i not in hidden])
        entries, _ = await self._builder.build(board.version, rows)
        there = {row.entity_id for row in rows}
        return Batch(board, entries, [id_ for id_ in ids if id_ not in there])
