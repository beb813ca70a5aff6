"""Reads where entities stood on a board at the end of past days."""

from collections.abc import Sequence
from datetime import date

from laurel_common.clock import Clock
from laurel_common.errors import InvalidRequest
from laurel_common.page_token import PageTokens
from laurel_common.surroundings import current_access
from laurel_leaderboard.application.current_boards import CurrentBoards
from laurel_leaderboard.application.ports import History
from laurel_leaderboard.application.visibility import hidden_of
from laurel_leaderboard.domain.boards import BoardAddress
from laurel_leaderboard.domain.history import (
    DAY,
    DaySpan,
    HistoryPlace,
    HistoryPoint,
    oldest_day_kept,
)

DEFAULT_PAGE_SIZE = 500
_KIND = "history"


class GetHistory:
    """Pages by entity and day; a walk keeps to the days that its first page began with."""

    def __init__(
        self, boards: CurrentBoards, history: History, tokens: PageTokens, clock: Clock
    ) -> None:
        self._boards = boards
        self._history = history
        self._tokens = tokens
        self._clock = clock

    async def __call__(
        self,
        address: BoardAddress,
        ids: Sequence[int],
        asked: tuple[date | None, date | None],
        page_size: int,
        page_token: str,
    ) -> tuple[list[HistoryPoint], str]:
        """A page of points within `asked` (first and last day; None: the oldest that is kept,
        yesterday), and the token of the next one or nothing. Raises BoardNotFound,
        InvalidRequest, InvalidPageToken.
        """
        if asked[0] is not None and asked[1] is not None and asked[0] > asked[1]:
            raise InvalidRequest.of(("end_date", "is before start_date"))
        size = page_size or DEFAULT_PAGE_SIZE
        binding = "/".join(map(str, (address.text(), *sorted(ids), *asked)))
        days, after = self._days(asked), None
        if page_token:
            payload = self._tokens.open(_KIND, page_token, binding=binding)
            days = DaySpan(*map(date.fromisoformat, payload["days"]))
            after = HistoryPlace(payload["id"], date.fromisoformat(payload["day"]))
        version = (await self._boards.find(address)).version
        if days.first > days.last:
            return [], ""
        hidden = hidden_of(current_access(), version.board.entity_type, ids)
        shown = [id_ for id_ in ids if id_ not in hidden]
        found = await self._history.points(version, shown, days, after, size + 1)
        if len(found) <= size:
            return found, ""
        last = found[size - 1]
        place = {
            "days": [day.isoformat() for day in days],
            "id": last.entity_id,
            "day": last.day.isoformat(),
        }
        return found[:size], self._tokens.seal(_KIND, place, binding=binding)

    def _days(self, asked: tuple[date | None, date | None]) -> DaySpan:
        """What is asked for, as far as it can be there."""
        now = self._clock.now()
        oldest, yesterday = oldest_day_kept(now), now.date() - DAY
        first, last = asked
        return DaySpan(max(first or oldest, oldest), min(last or yesterday, yesterday))
