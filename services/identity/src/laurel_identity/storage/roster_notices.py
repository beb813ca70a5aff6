"""Whose boards have to follow their rosters, in PostgreSQL. Triggers write it."""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_identity.storage.columns import any_id
from laurel_identity.storage.tables import roster_notices


class RosterNoticeTable:
    """Implements Notices: the mark is the numbers of the notices, of which any may still come."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def pending(self) -> Mapping[int, list[int]]:
        """See Notices."""
        found = defaultdict[int, list[int]](list)
        columns = roster_notices.c.installation_id, roster_notices.c.id
        async with transaction(self._engine) as connection:
            for installation_id, number in await connection.execute(select(*columns)):
                found[installation_id].append(number)
        return found

    async def told(self, installation_id: int, mark: list[int]) -> None:  # noqa: ARG002 - the numbers name them
        """See Notices."""
        async with transaction(self._engine) as connection:
            await connection.execute(
                roster_notices.delete().where(any_id(roster_notices.c.id, mark))
            )
