"""Reads how boards stood at the end of past days: by board, day and entity, as the key has them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ScalarSelect, any_, bindparam, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import BigInteger, Date

from laurel_common.db import transaction
from laurel_leaderboard.domain.boards import BoardKey
from laurel_leaderboard.domain.history import DaySpan, HistoryPlace, HistoryPoint, Standing
from laurel_leaderboard.domain.versions import Version
from laurel_leaderboard.storage.tables import leaderboard_boards, leaderboard_history

_E4 = 10_000
# One step along the primary key for each entity and day: what others left is not read.
_POINTS = text(
    "SELECT wanted.entity_id, span.day, place.rank, place.score"
    " FROM unnest(:ids) AS wanted (entity_id)"
    " CROSS JOIN (SELECT CAST(:first AS date) + n AS day"
    " FROM generate_series(0, CAST(:last AS date) - CAST(:first AS date)) n) span"
    " CROSS JOIN LATERAL (SELECT h.rank, h.score FROM leaderboard_history h"
    " WHERE h.board_id = :board_id AND h.day = span.day AND h.entity_id = wanted.entity_id"
    " LIMIT 1) place"
    " WHERE :after_id IS NULL OR (wanted.entity_id, span.day) > (:after_id, :after_day)"
    " ORDER BY wanted.entity_id, span.day LIMIT :limit"
).bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)),
    *(bindparam(name, type_=BigInteger) for name in ("board_id", "after_id", "limit")),
    *(bindparam(name, type_=Date) for name in ("first", "last", "after_day")),
)
_b = leaderboard_boards.c
_h = leaderboard_history.c


def board_id(preset_id: int, board: BoardKey) -> ScalarSelect[Any]:
    """The number of a board; NULL where no day of it was written yet."""
    return (
        select(_b.id)
        .where(
            _b.preset_id == preset_id,
            _b.scope_type == board.scope_type,
            func.coalesce(_b.team_id, _b.repository_id, _b.organization_id) == board.scope_id,
            _b.entity_type == board.entity_type,
            _b.time_period == board.time_period,
        )
        .scalar_subquery()
    )


class PostgresHistory:
    """The days that PostgreSQL holds."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def standings(
        self, version: Version, day: date, ids: Collection[int]
    ) -> Mapping[int, Standing]:
        """Where these entities stood on the version's board; those that did not are left out."""
        if not ids:
            return {}
        query = select(_h.entity_id, _h.rank, _h.score).where(
            _h.board_id == board_id(version.preset.preset_id, version.board),
            _h.day == day,
            _h.entity_id == any_(literal(list(ids), ARRAY(BigInteger))),
        )
        async with transaction(self._engine) as connection:
            found = (await connection.execute(query)).all()
        return {id_: Standing(rank, int(score * _E4)) for id_, rank, score in found}

    async def points(
        self,
        version: Version,
        ids: Sequence[int],
        days: DaySpan,
        after: HistoryPlace | None,
        limit: int,
    ) -> list[HistoryPoint]:
        """At most `limit` points of these entities on the version's board within `days`, by entity
        and day, behind `after`.
        """
        values: dict[str, Any] = {
            "ids": sorted(id_ for id_ in ids if after is None or id_ >= after.entity_id),
            "first": days.first,
            "last": days.last,
            "after_id": after.entity_id if after is not None else None,
            "after_day": after.day if after is not None else None,
            "limit": limit,
        }
        async with transaction(self._engine) as connection:
            board = await connection.execute(
                select(board_id(version.preset.preset_id, version.board))
            )
            values["board_id"] = board.scalar_one()
            found = (await connection.execute(_POINTS, values)).all()
        return [
            HistoryPoint(id_, day, Standing(rank, int(score * _E4)))
            for id_, day, rank, score in found
        ]
