"""Compares versions and days of a board in PostgreSQL: keyset pages of two joins along the keys."""

from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Subquery,
    any_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import BigInteger, Integer, Numeric

from laurel_common.db import transaction
from laurel_leaderboard.domain.comparison import Mover, MoverPlace
from laurel_leaderboard.domain.entries import Position
from laurel_leaderboard.domain.errors import VersionExpired
from laurel_leaderboard.domain.history import BoardDay, Standing
from laurel_leaderboard.domain.versions import Version
from laurel_leaderboard.storage.history import board_id
from laurel_leaderboard.storage.tables import (
    computed_scores,
    leaderboard_history,
    leaderboard_history_days,
    leaderboard_materializations,
)

_E4 = 10_000
_POINTS = Numeric(12, 4)
_d = leaderboard_history_days.c
_h = leaderboard_history.c
_m = leaderboard_materializations.c


def _rows(materialization_id: int) -> Subquery:
    s = computed_scores.c
    entity_id = func.coalesce(s.user_id, s.scored_team_id, s.scored_repo_id)
    query = select(entity_id.label("entity_id"), s.rank, s.score)
    return query.where(s.materialization_id == materialization_id).subquery()


def _places(version: Version, base: Version | date) -> Subquery:
    if isinstance(base, Version):
        return _rows(base.id)
    board = board_id(version.preset.preset_id, version.board)
    query = select(_h.entity_id, _h.rank, _h.score)
    return query.where(_h.board_id == board, _h.day == base).subquery()


def _standing(now: Subquery, before: Subquery) -> Select[Any]:
    """Those who stand, elsewhere or not at all before."""
    changed = or_(
        before.c.entity_id.is_(None),
        tuple_(before.c.rank, before.c.score) != tuple_(now.c.rank, now.c.score),
    )
    columns = (*now.c, before.c.rank.label("other_rank"), before.c.score.label("other_score"))
    joined = now.outerjoin(before, before.c.entity_id == now.c.entity_id)
    return select(*columns).select_from(joined).where(changed)


def _left(now: Subquery, before: Subquery) -> Select[Any]:
    """Those who stood and do not any more."""
    gone = ~select(now.c.entity_id).where(now.c.entity_id == before.c.entity_id).exists()
    nothing = (
        cast(null(), Integer).label("other_rank"),
        cast(null(), _POINTS).label("other_score"),
    )
    return select(*before.c, *nothing).where(gone)


def _page(query: Select[Any], of: Subquery, after: Position | None, limit: int) -> Select[Any]:
    """By score and id of `of`: one range from the top, the rest of the tie and what is lower
    further down.
    """
    order = (of.c.score.desc(), of.c.entity_id)
    if after is None:
        return query.order_by(*order).limit(limit)
    score: ColumnElement[Any] = cast(
        cast(literal(after.score_e4, BigInteger), Numeric) / _E4, _POINTS
    )
    tie = query.where(of.c.score == score, of.c.entity_id > after.entity_id)
    lower = query.where(of.c.score < score)
    parts = [part.order_by(*order).limit(limit).subquery() for part in (tie, lower)]
    both = union_all(*(select(*part.c) for part in parts)).subquery()
    return select(*both.c).order_by(both.c.score.desc(), both.c.entity_id).limit(limit)


class PostgresComparisons:
    """The movers that PostgreSQL finds."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def day(self, version: Version, day: date) -> BoardDay | None:
        """How the version's board stood at the end of `day`; None where that is not known."""
        board = board_id(version.preset.preset_id, version.board)
        query = select(_d.day, _d.version, _d.as_of, _d.entry_count)
        query = query.where(_d.board_id == board, _d.day == day)
        async with transaction(self._engine) as connection:
            found = (await connection.execute(query)).one_or_none()
        return BoardDay(*found) if found is not None else None

    async def movers(
        self, version: Version, base: Version | date, after: MoverPlace | None, limit: int
    ) -> list[Mover]:
        """At most `limit` of those who stand elsewhere in `version` than in `base`, behind
        `after`. Raises VersionExpired where the rows of either are gone.
        """
        now, before = _rows(version.id), _places(version, base)
        found: list[Mover] = []
        # One snapshot: what is purged meanwhile would look as if all had left.
        async with transaction(self._engine, isolation="REPEATABLE READ") as connection:
            versions = [each.id for each in (version, base) if isinstance(each, Version)]
            await _require_rows(connection, versions)
            if after is None or not after.left:
                place = after.position if after is not None else None
                page = _page(_standing(now, before), now, place, limit)
                found += [_mover(row) for row in await connection.execute(page)]
            if len(found) < limit:
                place = after.position if after is not None and after.left else None
                page = _page(_left(now, before), before, place, limit - len(found))
                found += [_leaver(row) for row in await connection.execute(page)]
        return found


async def _require_rows(connection: AsyncConnection, ids: list[int]) -> None:
    wanted = any_(literal(ids, ARRAY(BigInteger)))
    query = select(_m.id).where(_m.id == wanted, _m.retention_state != "purged")
    if len((await connection.execute(query)).all()) < len(set(ids)):
        raise VersionExpired


def _mover(row: Row[Any]) -> Mover:
    before = None
    if row.other_rank is not None:
        before = Standing(row.other_rank, int(row.other_score * _E4))
    return Mover(row.entity_id, Standing(row.rank, int(row.score * _E4)), before)


def _leaver(row: Row[Any]) -> Mover:
    return Mover(row.entity_id, None, Standing(row.rank, int(row.score * _E4)))
