"""Whose boards have to follow, in PostgreSQL."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import transaction
from laurel_ingest.storage.tables import scoring_notices

_NOTE: Final = text(
    """
    INSERT INTO scoring_notices AS notice (installation_id)
    SELECT installation_id FROM unnest(CAST(:installation_ids AS bigint[])) AS installation_id
    ORDER BY installation_id
    ON CONFLICT ON CONSTRAINT pk_scoring_notices DO UPDATE SET changes = notice.changes + 1
    """
)


async def note_change(connection: AsyncConnection, installation_ids: Collection[int]) -> None:
    """Notes with the connection's transaction that boards have to follow what it changes."""
    if installation_ids:
        await connection.execute(_NOTE, {"installation_ids": list(installation_ids)})


class ScoringNoticeTable:
    """Implements Notices: the mark is the number of changes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def pending(self) -> Mapping[int, int]:
        """See Notices."""
        columns = scoring_notices.c.installation_id, scoring_notices.c.changes
        async with transaction(self._engine) as connection:
            return {row[0]: row[1] for row in await connection.execute(select(*columns))}

    async def told(self, installation_id: int, changes: int) -> None:
        """See Notices."""
        async with transaction(self._engine) as connection:
            await connection.execute(
                scoring_notices.delete().where(
                    scoring_notices.c.installation_id == installation_id,
                    scoring_notices.c.changes == changes,
                )
            )
