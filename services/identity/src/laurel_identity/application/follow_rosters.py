"""Has boards computed anew whose rosters have changed."""

from collections.abc import Callable

from laurel_common.notices import Notices, tell_of
from laurel_identity.application.work_ports import StartScoring


class FollowRosters:
    """Tells scoring of every change that was noted; what can't be told now is told later."""

    def __init__(self, notices: Notices[list[int]], start_scoring: StartScoring) -> None:
        self._notices = notices
        self._start_scoring = start_scoring
        # Has this called soon; set by whoever calls it.
        self.on_wake: Callable[[], None] = lambda: None

    def wake(self) -> None:
        """Something was committed."""
        self.on_wake()

    async def __call__(self) -> None:
        """Goes through the notices once. Raises the typed errors of the database."""
        await tell_of(self._notices, await self._notices.pending(), self._start_scoring)
