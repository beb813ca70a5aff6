"""Forgets the boards that cover a repository which left an installation, in PostgreSQL."""

from typing import Final

from sqlalchemy import and_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import run_transaction
from laurel_leaderboard.domain.versions import Version
from laurel_leaderboard.storage.tables import leaderboard_materializations, published_presets
from laurel_leaderboard.storage.versions import read_versions

_m = leaderboard_materializations.c
_p = published_presets.c

# Publishers take turns on these rows: none adds to what is being forgotten.
_PRESETS: Final = text(
    "SELECT preset_id FROM published_presets WHERE installation_id = :installation_id"
    " ORDER BY preset_id FOR NO KEY UPDATE"
)
_OWN: Final = (
    "preset_id IN (SELECT preset_id FROM published_presets"
    " WHERE installation_id = :installation_id)"
)
# Rows of versions and of days go with them.
_DELETE: Final = tuple(
    text(f"DELETE FROM {table} WHERE {_OWN} AND {which}")  # noqa: S608 - constants alone
    for table, which in (
        ("leaderboard_materializations", "repository_id = :repository_id"),
        ("leaderboard_boards", "repository_id = :repository_id"),
        ("stale_boards", "scope_type = 'repository' AND scope_id = :repository_id"),
    )
)


class PostgresRepositoryForgetting:
    """Implements RepositoryForgetting."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def forget(self, installation_id: int, repository_id: int) -> list[Version]:
        """See RepositoryForgetting."""
        values = {"installation_id": installation_id, "repository_id": repository_id}
        own = select(_p.preset_id).where(_p.installation_id == installation_id)

        async def work(connection: AsyncConnection) -> list[Version]:
            await connection.execute(_PRESETS, values)
            where = and_(_m.repository_id == repository_id, _m.preset_id.in_(own))
            gone = list(await read_versions(connection, where))
            for statement in _DELETE:
                await connection.execute(statement, values)
            return gone

        return await run_transaction(self._engine, work)
