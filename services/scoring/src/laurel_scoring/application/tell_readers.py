"""Has readers told that boards are about to be computed anew."""

import asyncio

import structlog

from laurel_common.errors import RemoteError
from laurel_scoring.application.ports import Boards
from laurel_scoring.domain.runs import Change

log = structlog.get_logger(__name__)

# Who asked waits for this, and leaderboard may be away.
_SECONDS = 1.0


class TellReaders:
    """Marks an installation's boards as a change is being committed, and a run asked for with it.

    A run that is under way does not hold the change, and its boards must not pass for fresh until
    the next run begins. That run marks again before it reads: where leaderboard is away now,
    nothing is lost but the word in between. Where the commit fails after all, the boards stay
    marked until the next run.
    """

    def __init__(self, boards: Boards) -> None:
        self._boards = boards

    async def __call__(self, installation_id: int, change: Change) -> None:
        """Marks; never fails."""
        try:
            async with asyncio.timeout(_SECONDS):
                await self._boards.mark_stale(installation_id, change)
        except (RemoteError, TimeoutError) as error:
            log.warning("readers_not_told", installation_id=installation_id, error=repr(error))
