"""What ingest keeps of teams."""

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_ingest.storage.tables import ingest_log


class TeamTraces:
    """Implements ForgetTeam's port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def forget(self, team_id: int) -> int:
        """Deletes what refers to a team; answers how many rows that were."""
        async with transaction(self._engine) as connection:
            gone = await connection.execute(
                delete(ingest_log).where(ingest_log.c.team_id == team_id)
            )
            return gone.rowcount
