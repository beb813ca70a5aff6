"""Compares a board's current version with a former one or with the end of a day."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from laurel_common.page_token import PageTokens
from laurel_common.surroundings import current_access
from laurel_leaderboard.application.current_boards import CurrentBoard, CurrentBoards
from laurel_leaderboard.application.entry_builder import EntryBuilder
from laurel_leaderboard.application.ports import Comparisons
from laurel_leaderboard.application.visibility import hidden_of
from laurel_leaderboard.domain.boards import BoardAddress
from laurel_leaderboard.domain.comparison import Mover, MoverPlace
from laurel_leaderboard.domain.entries import Position, Profile
from laurel_leaderboard.domain.errors import DayNotKept
from laurel_leaderboard.domain.history import BoardDay
from laurel_leaderboard.domain.versions import Version

DEFAULT_PAGE_SIZE = 50
_KIND = "comparison"


class Comparison(NamedTuple):
    """A page of movers with their profiles by id, between `base` and the board's version.

    `hidden` are those of them that the caller may not learn of.
    """

    board: CurrentBoard
    base: CurrentBoard | BoardDay
    movers: list[Mover]
    profiles: Mapping[int, Profile]
    hidden: frozenset[int]
    page_token: str


class CompareVersions:
    """A walk keeps to the version that was current when it began."""

    def __init__(
        self,
        boards: CurrentBoards,
        comparisons: Comparisons,
        builder: EntryBuilder,
        tokens: PageTokens,
    ) -> None:
        self._boards = boards
        self._comparisons = comparisons
        self._builder = builder
        self._tokens = tokens

    async def __call__(
        self, address: BoardAddress, against: int | date, page_size: int, page_token: str
    ) -> Comparison:
        """A page of movers since the version of this id, or the end of this day.

        Raises BoardNotFound, VersionNotFound, VersionExpired, DayNotKept, InvalidPageToken.
        """
        size = page_size or DEFAULT_PAGE_SIZE
        binding = f"{address.text()}/{against}"
        if page_token:
            payload = self._tokens.open(_KIND, page_token, binding=binding)
            board = await self._boards.kept(address, payload["m"])
            after = MoverPlace(payload["l"], Position(payload["s"], payload["e"]))
        else:
            board, after = await self._boards.find(address), None
        base = await self._base(address, board.version, against)
        known = base.version if isinstance(base, CurrentBoard) else base.day
        found = await self._comparisons.movers(board.version, known, after, size + 1)
        page, token = found[:size], ""
        if len(found) > size:
            left, (score_e4, entity_id) = page[-1].place
            place = {"m": board.version.id, "l": left, "s": score_e4, "e": entity_id}
            token = self._tokens.seal(_KIND, place, binding=binding)
        ids = [mover.entity_id for mover in page]
        hidden = hidden_of(current_access(), board.version.board.entity_type, ids)
        profiles = await self._builder.names(board.version, ids) or {}
        return Comparison(board, base, page, profiles, hidden, token)

    async def _base(
        self, address: BoardAddress, version: Version, against: int | date
    ) -> CurrentBoard | BoardDay:
        if isinstance(against, int):
            return await self._boards.kept(address, against)
        day = await self._comparisons.day(version, against)
        if day is None:
            raise DayNotKept
        return day
