"""Reads one entity on a board, with those who stand next to it."""

from typing import NamedTuple

from laurel_common.surroundings import current_access
from laurel_leaderboard.application.current_boards import CurrentBoard, CurrentBoards
from laurel_leaderboard.application.entry_builder import EntryBuilder
from laurel_leaderboard.application.ports import Logins, Versions
from laurel_leaderboard.application.visibility import hidden_of, masked
from laurel_leaderboard.domain.boards import BoardAddress
from laurel_leaderboard.domain.entries import Entry
from laurel_leaderboard.domain.errors import EntityNotFound


class Surroundings(NamedTuple):
    """An entry between its neighbours, each side by rank."""

    board: CurrentBoard
    above: list[Entry]
    entry: Entry
    below: list[Entry]


class GetEntry:
    """All entries are of one version, whatever is published meanwhile."""

    def __init__(
        self, boards: CurrentBoards, versions: Versions, logins: Logins, builder: EntryBuilder
    ) -> None:
        self._boards = boards
        self._versions = versions
        self._logins = logins
        self._builder = builder

    async def __call__(
        self, address: BoardAddress, entity: int | str, neighbours: int
    ) -> Surroundings:
        """The entity with this id or login. Raises BoardNotFound, EntityNotFound."""
        board = await self._boards.find(address)
        id_ = entity if isinstance(entity, int) else await self._resolve(address, entity)
        access, kind = current_access(), board.version.board.entity_type
        # Whoever may not learn of it does not learn that it stands here.
        known = not hidden_of(access, kind, [id_])
        rows = await self._versions.rows_of(board.version, [id_]) if known else []
        if not rows:
            raise EntityNotFound
        place, above = rows[0].position, 0
        if neighbours:
            before = await self._versions.rows_before(board.version, place, neighbours)
            after = await self._versions.rows(board.version, place, neighbours)
            rows, above = [*before, *rows, *after], len(before)
        entries, _ = await self._builder.build(board.version, rows)
        entries = masked(access, kind, entries)
        return Surroundings(board, entries[:above], entries[above], entries[above + 1 :])

    async def _resolve(self, address: BoardAddress, login: str) -> int:
        found = await self._logins.find(address.installation_id, address.entity_type, login)
        if found is None:
            raise EntityNotFound("nothing bears this login")
        return found
