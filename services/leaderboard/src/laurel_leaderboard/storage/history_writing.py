"""Writes a day of a preset's boards from the versions that stood at its end, and forgets days."""

from datetime import UTC, date

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import Date

from laurel_common.db import transaction
from laurel_leaderboard.domain.history import DAY, Progress, day_bounds

# Held to the end of the transaction: two replicas never write the same day.
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended('laurel.leaderboard.history', 0))")
_BEHIND = text(
    "SELECT p.preset_id, p.history_day, CASE WHEN p.history_day IS NULL THEN LEAST("
    "(SELECT min(m.computed_at) FROM leaderboard_materializations m"
    " WHERE m.preset_id = p.preset_id AND m.retention_state = 'current'),"
    " (SELECT min(m.computed_at) FROM leaderboard_materializations m"
    " WHERE m.preset_id = p.preset_id AND m.retention_state IN ('superseded', 'expired'))"
    ") END FROM published_presets p"
    " WHERE p.history_day IS NULL OR p.history_day < :last ORDER BY p.preset_id"
)
# What stood at `day_end`: published before it and not replaced by then. A board of today counts
# only where it was checked on that very day; otherwise it shows an earlier one.
_STOOD = (
    "SELECT {columns} FROM leaderboard_materializations m"
    " JOIN materialization_inputs i ON i.materialization_id = m.id"
    " WHERE m.preset_id = :preset_id AND m.computed_at < :day_end AND {retained}"
    " AND (m.time_period <> 'today' OR i.as_of >= :day_start)"
)
_CURRENT = "m.retention_state = 'current'"
_REPLACED = "m.retention_state IN ('superseded', 'expired') AND m.superseded_at >= :day_end"


def _stood(columns: str) -> str:
    parts = (_STOOD.format(columns=columns, retained=each) for each in (_CURRENT, _REPLACED))
    return " UNION ALL ".join(parts)


_BOARD = "m.preset_id, m.scope_type, m.organization_id, m.team_id, m.repository_id, m.entity_type"
_TIMES = {name: TIMESTAMP(timezone=True) for name in ("day_start", "day_end")}
_INSERT_BOARDS = text(
    "INSERT INTO leaderboard_boards (preset_id, scope_type, organization_id, team_id,"  # noqa: S608 - constants of this module alone
    " repository_id, entity_type, time_period)"
    " SELECT stood.preset_id, stood.scope_type, stood.organization_id, stood.team_id,"
    " stood.repository_id, stood.entity_type, stood.time_period"
    f" FROM ({_stood(f'{_BOARD}, m.time_period')}) stood"
    # Sought first: a conflict would use up an id for each board of each day.
    " WHERE NOT EXISTS (SELECT FROM leaderboard_boards b WHERE b.preset_id = stood.preset_id"
    " AND b.scope_type = stood.scope_type"
    " AND COALESCE(b.team_id, b.repository_id, b.organization_id)"
    " = COALESCE(stood.team_id, stood.repository_id, stood.organization_id)"
    " AND b.entity_type = stood.entity_type AND b.time_period = stood.time_period)"
    " ON CONFLICT DO NOTHING"
).bindparams(*(bindparam(name, type_=kind) for name, kind in _TIMES.items()))
_INSERT_DAY = text(
    "WITH stood AS MATERIALIZED ("  # noqa: S608 - constants of this module alone
    + _stood(f"{_BOARD}, m.time_period, m.id, m.version, m.row_count, i.as_of")
    + "), numbered AS MATERIALIZED (SELECT b.id AS board_id, stood.id AS version_id,"
    " stood.version, stood.row_count, stood.as_of FROM stood"
    " JOIN leaderboard_boards b ON b.preset_id = stood.preset_id"
    " AND b.scope_type = stood.scope_type"
    " AND COALESCE(b.team_id, b.repository_id, b.organization_id)"
    " = COALESCE(stood.team_id, stood.repository_id, stood.organization_id)"
    " AND b.entity_type = stood.entity_type AND b.time_period = stood.time_period"
    "), days AS (INSERT INTO leaderboard_history_days (board_id, day, version, as_of, entry_count)"
    " SELECT board_id, :day, version, as_of, row_count FROM numbered"
    " ON CONFLICT DO NOTHING RETURNING board_id"
    "), places AS (INSERT INTO leaderboard_history (board_id, day, entity_id, score, rank)"
    " SELECT days.board_id, :day, COALESCE(s.user_id, s.scored_team_id, s.scored_repo_id),"
    " s.score, s.rank FROM days JOIN numbered ON numbered.board_id = days.board_id"
    " JOIN computed_scores s ON s.materialization_id = numbered.version_id"
    ") SELECT count(*) FROM days"
).bindparams(
    bindparam("day", type_=Date), *(bindparam(name, type_=kind) for name, kind in _TIMES.items())
)
_ADVANCE = text(
    "UPDATE published_presets SET history_day = :day"
    " WHERE preset_id = :preset_id AND (history_day IS NULL OR history_day < :day)"
)
_PRUNE = text(
    "WITH old AS MATERIALIZED (SELECT board_id, day FROM leaderboard_history_days"
    " WHERE day < :oldest ORDER BY day LIMIT :limit"
    "), places AS (DELETE FROM leaderboard_history h USING old"
    " WHERE h.board_id = old.board_id AND h.day = old.day"
    "), days AS (DELETE FROM leaderboard_history_days d USING old"
    " WHERE d.board_id = old.board_id AND d.day = old.day RETURNING d.board_id"
    ") SELECT count(*) FROM days"
)


class PostgresDayKeeper:
    """Each day of a preset is a transaction of its own, and so is each slice of forgetting."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def behind(self, last: date) -> list[Progress]:
        """The presets whose days up to `last` are not all written."""
        async with transaction(self._engine) as connection:
            found = await connection.execute(_BEHIND, {"last": last})
            return [
                Progress(id_, day or at.astimezone(UTC).date() - DAY)
                for id_, day, at in found
                if day is not None or at is not None
            ]

    async def write_day(self, preset_id: int, day: date) -> int | None:
        """Writes how the preset's boards stood at the end of `day`, once.

        Returns how many boards; None where another replica is at it.
        """
        start, end = day_bounds(day)
        values = {"preset_id": preset_id, "day_start": start, "day_end": end}
        async with transaction(self._engine) as connection:
            if not await _locked(connection):
                return None
            await connection.execute(_INSERT_BOARDS, values)
            found = await connection.execute(_INSERT_DAY, values | {"day": day})
            # Last, and briefly: publishers of the preset take turns on this row.
            await connection.execute(_ADVANCE, {"preset_id": preset_id, "day": day})
            return int(found.scalar_one())

    async def prune(self, oldest: date, limit: int) -> int:
        """Forgets at most `limit` boards' days before `oldest`; returns how many."""
        async with transaction(self._engine) as connection:
            if not await _locked(connection):
                return 0
            found = await connection.execute(_PRUNE, {"oldest": oldest, "limit": limit})
            return int(found.scalar_one())


async def _locked(connection: AsyncConnection) -> bool:
    return bool((await connection.execute(_LOCK)).scalar_one())
