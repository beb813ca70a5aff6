"""Deletes an installation's boards in PostgreSQL, slice by slice."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import run_transaction

_SLICE = 200
_PRESETS = text("SELECT preset_id FROM published_presets WHERE installation_id = :installation_id")
# Rows of versions and of days go with them.
_SLICES = tuple(
    text(
        f"DELETE FROM {table} WHERE id IN (SELECT d.id FROM published_presets p"  # noqa: S608 - constants alone
        f" JOIN {table} d ON d.preset_id = p.preset_id"
        " WHERE p.installation_id = :installation_id LIMIT :limit)"
    )
    for table in ("leaderboard_materializations", "leaderboard_boards")
)
_END = (
    text(
        "DELETE FROM stale_boards WHERE preset_id IN ("
        "SELECT preset_id FROM published_presets WHERE installation_id = :installation_id)"
    ),
    text("DELETE FROM stale_installations WHERE installation_id = :installation_id"),
    text("DELETE FROM published_presets WHERE installation_id = :installation_id"),
)


class PostgresErasures:
    """Implements Erasures."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def presets(self, installation_id: int) -> list[int]:
        """See Erasures."""

        async def work(connection: AsyncConnection) -> list[int]:
            values = {"installation_id": installation_id}
            return list((await connection.execute(_PRESETS, values)).scalars())

        return await run_transaction(self._engine, work)

    async def delete_slice(self, installation_id: int) -> int:
        """See Erasures."""
        values = {"installation_id": installation_id, "limit": _SLICE}

        async def work(connection: AsyncConnection) -> int:
            return sum([(await connection.execute(each, values)).rowcount for each in _SLICES])

        return await run_transaction(self._engine, work)

    async def delete_rest(self, installation_id: int) -> None:
        """See Erasures."""

        async def work(connection: AsyncConnection) -> None:
            for statement in _END:
                await connection.execute(statement, {"installation_id": installation_id})

        await run_transaction(self._engine, work)
