"""Has boards computed anew whose signals or bots have changed."""

import structlog

from laurel_common.errors import RemoteError
from laurel_ingest.application.inbox import Scoring, ScoringNotices

log = structlog.get_logger(__name__)


class FollowBoards:
    """Tells scoring of every change that was noted; what can't be told now is told later."""

    def __init__(self, notices: ScoringNotices, scoring: Scoring) -> None:
        self._notices = notices
        self._scoring = scoring

    async def __call__(self) -> None:
        """Goes through the notices once. Raises the typed errors of the database."""
        for installation_id, changes in (await self._notices.pending()).items():
            try:
                await self._scoring.start(installation_id)
            except RemoteError as error:
                if error.code != "NOT_FOUND":
                    log.warning(
                        "scoring_not_told", installation_id=installation_id, error=repr(error)
                    )
                    continue
            await self._notices.told(installation_id, changes)
