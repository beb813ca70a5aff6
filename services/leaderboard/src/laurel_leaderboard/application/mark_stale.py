"""Notes that boards do not hold a change yet, before the run begins that will hold it."""

from collections.abc import Sequence

from laurel_common.clock import Clock
from laurel_common.errors import InvalidRequest
from laurel_leaderboard.application.ports import Notices, SharedCache, StaleMarks, Versions
from laurel_leaderboard.domain.boards import BoardAddress
from laurel_leaderboard.domain.freshness import Cause


class MarkStale:
    """A mark is a number that only grows; a publish whose header names it, or a higher one, settles
    it. What is marked while that publish is being computed has a higher number and stays.
    """

    def __init__(
        self,
        marks: StaleMarks,
        versions: Versions,
        shared: SharedCache,
        notices: Notices,
        clock: Clock,
    ) -> None:
        self._marks = marks
        self._versions = versions
        self._shared = shared
        self._notices = notices
        self._clock = clock

    async def __call__(
        self, installation_id: int, boards: Sequence[BoardAddress], cause: Cause
    ) -> int:
        """Marks these boards, or all; the mark. Raises InvalidRequest, ReferenceMissing."""
        faults = [
            (f"boards[{index}].installation_id", "is not the request's installation")
            for index, board in enumerate(boards)
            if board.installation_id != installation_id
        ]
        if faults:
            raise InvalidRequest.of(*faults)
        mark = await self._marks.mark(installation_id, boards, cause, self._clock.now())
        if not boards:
            # One note, however many boards there are.
            await self._shared.note_mark(installation_id, mark)
            await self._notices.announce(installation_id)
            return mark
        # Read after the commit: a version published until now was noted without the mark.
        now = self._clock.now()
        current = await self._versions.current_of(installation_id)
        await self._shared.note_pointers([v for v in current if v.stale_mark >= mark], now)
        await self._notices.announce(installation_id)
        return mark
