"""Keeps marks of changes in PostgreSQL: numbered by installation, one after another."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import BigInteger, Text

from laurel_common.db import transaction
from laurel_common.errors import ReferenceMissing
from laurel_leaderboard.domain.boards import BoardAddress, BoardKey, Preset
from laurel_leaderboard.domain.freshness import Cause, Marks
from laurel_leaderboard.storage.tables import stale_boards, stale_installations

_CONSTRAINTS = {
    "fk_stale_installations_installation": partial(
        ReferenceMissing, "the installation does not exist"
    )
}
_b = stale_boards.c
_i = stale_installations.c

# The row lock numbers marks in the order in which they become visible.
_TAKE = text(
    "INSERT INTO stale_installations AS s (installation_id, last_mark, mark, cause, marked_at)"
    " VALUES (:installation_id, 1, CASE WHEN :on_all THEN 1 ELSE 0 END, :cause, :now)"
    " ON CONFLICT (installation_id) DO UPDATE SET last_mark = s.last_mark + 1,"
    " mark = CASE WHEN :on_all THEN s.last_mark + 1 ELSE s.mark END,"
    " cause = CASE WHEN :on_all THEN excluded.cause ELSE s.cause END,"
    " marked_at = CASE WHEN :on_all THEN excluded.marked_at ELSE s.marked_at END"
    " RETURNING last_mark"
).bindparams(bindparam("now", type_=TIMESTAMP(timezone=True)), bindparam("cause", type_=Text))
_MARK_BOARDS = text(
    "INSERT INTO stale_boards"
    " (preset_id, scope_type, scope_id, entity_type, time_period, mark, cause, marked_at)"
    " SELECT DISTINCT p.preset_id, a.scope_type::score_scope_type,"
    " CASE a.scope_id WHEN 0 THEN p.organization_id ELSE a.scope_id END,"
    " a.entity_type::score_entity_type, a.time_period::score_time_period,"
    " CAST(:mark AS bigint), :cause, :now"
    " FROM unnest(:preset_ids, :scope_types, :scope_ids, :entity_types, :time_periods)"
    " AS a (preset_id, scope_type, scope_id, entity_type, time_period)"
    " JOIN published_presets p ON p.installation_id = :installation_id"
    " AND (p.preset_id = a.preset_id OR (a.preset_id = 0 AND p.is_served))"
    " ON CONFLICT (preset_id, scope_type, scope_id, entity_type, time_period)"
    " DO UPDATE SET mark = excluded.mark, cause = excluded.cause, marked_at = excluded.marked_at"
).bindparams(
    *(bindparam(name, type_=ARRAY(BigInteger)) for name in ("preset_ids", "scope_ids")),
    *(
        bindparam(name, type_=ARRAY(Text))
        for name in ("scope_types", "entity_types", "time_periods")
    ),
    bindparam("now", type_=TIMESTAMP(timezone=True)),
    bindparam("cause", type_=Text),
)


class PostgresStaleMarks:
    """The marks that PostgreSQL holds."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def mark(
        self, installation_id: int, boards: Sequence[BoardAddress], cause: Cause, now: datetime
    ) -> int:
        """Marks these boards, or all of the installation where there are none; the mark.

        Raises ReferenceMissing where there is no such installation.
        """
        values = {"installation_id": installation_id, "cause": cause.value, "now": now}
        async with transaction(self._engine, constraints=_CONSTRAINTS) as connection:
            found = await connection.execute(_TAKE, values | {"on_all": not boards})
            mark = int(found.scalar_one())
            if boards:
                addresses = {
                    "preset_ids": [board.preset_id for board in boards],
                    "scope_types": [board.scope_type.value for board in boards],
                    "scope_ids": [board.scope_id for board in boards],
                    "entity_types": [board.entity_type.value for board in boards],
                    "time_periods": [board.time_period.value for board in boards],
                }
                await connection.execute(_MARK_BOARDS, values | addresses | {"mark": mark})
            return mark

    async def on_preset(self, preset: Preset) -> Marks:
        """The marks on the boards of a preset."""
        of_all = select(_i.mark).where(_i.installation_id == preset.installation_id)
        of_boards = select(
            _b.scope_type, _b.scope_id, _b.entity_type, _b.time_period, _b.mark
        ).where(_b.preset_id == preset.preset_id)
        async with transaction(self._engine) as connection:
            mark = (await connection.execute(of_all)).scalar_one_or_none()
            found = (await connection.execute(of_boards)).all()
        return Marks(mark or 0, {BoardKey(*row[:4]): row[4] for row in found})
