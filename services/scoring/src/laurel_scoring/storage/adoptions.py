"""Makes an installation's presets another one's, in one transaction."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import run_transaction
from laurel_common.errors import InstallationNotFound
from laurel_scoring.application.ports import Actor
from laurel_scoring.domain.runs import Change, Run
from laurel_scoring.storage.preset_changes import PresetChange, note_change, side_of
from laurel_scoring.storage.presets import read_preset
from laurel_scoring.storage.runs import RunTable

_CONSTRAINTS: Final = {
    "fk_scoring_presets_installation": InstallationNotFound,
    "fk_scoring_runs_installation": InstallationNotFound,
}

# In the order of ids, as whoever changes presets of one installation locks them.
_LOCK: Final = text(
    """
    SELECT id, installation_id, preset_name, is_active FROM scoring_presets
    WHERE installation_id IN (:former, :later) ORDER BY id FOR UPDATE
    """
)
_DELETE: Final = text("DELETE FROM scoring_presets WHERE id = :preset_id")
_REST: Final = text(
    "UPDATE scoring_presets SET is_active = false WHERE installation_id = :later AND is_active"
)
_END_RUNS: Final = text(
    """
    UPDATE scoring_runs
    SET state = 'cancelled', finished_at = :now, phase = NULL, retry_reason = NULL
    WHERE installation_id = :former AND state IN ('queued', 'running')
    """
)
_MOVE: Final = (
    text("UPDATE scoring_presets SET installation_id = :later WHERE installation_id = :former"),
    text(
        """
        UPDATE scoring_preset_changes SET installation_id = :later
        WHERE installation_id = :former
        """
    ),
    text("UPDATE scoring_runs SET installation_id = :later WHERE installation_id = :former"),
    # Of two requests with one name, the later installation's own stays.
    *(
        text(
            f"""
            UPDATE {table} AS r SET installation_id = :later
            WHERE r.installation_id = :former AND NOT EXISTS (
                SELECT FROM {table} AS own
                WHERE own.installation_id = :later AND own.request_id = r.request_id
            )
            """  # noqa: S608 - put together from constants
        )
        for table in ("scoring_preset_requests", "scoring_run_requests")
    ),
    text("DELETE FROM scoring_checks WHERE installation_id = :former"),
)


class PresetAdoptions:
    """Implements PresetAdopter."""

    def __init__(self, engine: AsyncEngine, runs: RunTable) -> None:
        self._engine = engine
        self._runs = runs

    async def adopt(
        self, former: int, later: int, *, by: Actor, now: datetime
    ) -> tuple[int, Run | None]:
        """See PresetAdopter."""
        values = {"former": former, "later": later, "now": now}

        async def work(connection: AsyncConnection) -> tuple[int, Run | None]:
            presets = (await connection.execute(_LOCK, values)).all()
            moving = [row for row in presets if row.installation_id == former]
            await connection.execute(_END_RUNS, values)
            if moving:
                standing = [row for row in presets if row.installation_id == later]
                await _make_way(connection, moving, standing, PresetChange("deleted", by, now))
                if any(row.is_active for row in moving):
                    await connection.execute(_REST, values)
            for statement in _MOVE:
                await connection.execute(statement, values)
            if not moving:
                return 0, None
            run = await self._runs.request_with(connection, later, by.name, now, Change.PRESET)
            return len(moving), run

        return await run_transaction(self._engine, work, constraints=_CONSTRAINTS)


async def _make_way(
    connection: AsyncConnection, moving: list[Any], standing: list[Any], change: PresetChange
) -> None:
    """Deletes presets whose names those that move have, with their boards."""
    names = {row.preset_name for row in moving}
    for row in standing:
        if row.preset_name in names:
            preset = await read_preset(connection, row.installation_id, row.id)
            await connection.execute(_DELETE, {"preset_id": row.id})
            await note_change(connection, change, preset, side_of(preset), None)
