"""Reads versions and their rows from PostgreSQL: one statement each, pages by keyset."""

import json
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Text,
    all_,
    and_,
    any_,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import BigInteger, Numeric

from laurel_common.auth.access import Access
from laurel_common.db import transaction
from laurel_leaderboard.domain.boards import BoardAddress, BoardKey, Preset, ScopeType
from laurel_leaderboard.domain.entries import Position, ScoreRow
from laurel_leaderboard.domain.versions import RetentionState, Version, VersionRecord
from laurel_leaderboard.storage.tables import (
    computed_scores,
    entity_type,
    leaderboard_materializations,
    materialization_inputs,
    published_presets,
    scope_type,
    stale_boards,
    stale_installations,
    time_period,
)

_E4 = 10_000
_m = leaderboard_materializations.c
_i = materialization_inputs.c
_p = published_presets.c
_s = computed_scores.c
_si = stale_installations.c
_sb = stale_boards.c

_scope_id = func.coalesce(_m.team_id, _m.repository_id, _m.organization_id)
_entity_id = func.coalesce(_s.user_id, _s.scored_team_id, _s.scored_repo_id)
_from = (
    leaderboard_materializations.join(materialization_inputs, _i.materialization_id == _m.id)
    .join(published_presets, _p.preset_id == _m.preset_id)
    .outerjoin(stale_installations, _si.installation_id == _p.installation_id)
    .outerjoin(
        stale_boards,
        and_(
            _sb.preset_id == _m.preset_id,
            _sb.scope_type == _m.scope_type,
            _sb.scope_id == _scope_id,
            _sb.entity_type == _m.entity_type,
            _sb.time_period == _m.time_period,
        ),
    )
)
_VERSION = (
    _m.id,
    _p.installation_id,
    _p.preset_id,
    _p.organization_id,
    _m.scope_type,
    _scope_id.label("scope_id"),
    _m.entity_type,
    _m.time_period,
    _m.version,
    _m.row_count,
    _m.signal_count,
    _m.retention_state,
    _m.computed_at,
    _i.as_of,
    _i.last_checked_at,
    _m.superseded_at,
    _m.retention_expires_at,
    func.greatest(_si.mark, _sb.mark, 0).label("stale_mark"),
    _i.settled_mark,
)
_SCORE = (
    _s.rank,
    _entity_id.label("entity_id"),
    _s.score,
    cast(_s.breakdown, Text).label("breakdown"),
    cast(_s.counts, Text).label("counts"),
    _s.additions,
    _s.deletions,
    _s.member_count,
)


def _version(row: Row[Any]) -> Version:
    return Version(
        id=row.id,
        preset=Preset(row.installation_id, row.preset_id, row.organization_id),
        board=BoardKey(row.scope_type, row.scope_id, row.entity_type, row.time_period),
        number=row.version,
        row_count=row.row_count,
        signal_count=row.signal_count,
        state=RetentionState(row.retention_state),
        computed_at=row.computed_at,
        as_of=row.as_of,
        checked_at=row.last_checked_at,
        superseded_at=row.superseded_at,
        expires_at=row.retention_expires_at,
        stale_mark=row.stale_mark,
        settled_mark=row.settled_mark,
    )


def _score_row(row: Row[Any]) -> ScoreRow:
    breakdown = json.loads(row.breakdown)
    return ScoreRow(
        rank=row.rank,
        entity_id=row.entity_id,
        score_e4=int(row.score * _E4),
        # Four decimals below 10^8 are exact in a double once they are rounded.
        breakdown={name: round(points * _E4) for name, points in breakdown.items()},
        counts=json.loads(row.counts),
        additions=row.additions,
        deletions=row.deletions,
        member_count=row.member_count,
    )


def _is_addressed(address: BoardAddress) -> list[ColumnElement[bool]]:
    """The boards that `address` names: at most one, where a preset is named or served."""
    scope_id = _p.organization_id if address.scope_id == 0 else literal(address.scope_id)
    preset = _p.preset_id == address.preset_id if address.preset_id else _p.is_served
    return [
        _p.installation_id == address.installation_id,
        preset,
        _m.scope_type == address.scope_type,
        _scope_id == scope_id,
        _m.entity_type == address.entity_type,
        _m.time_period == address.time_period,
    ]


def _is_seen(access: Access) -> Iterator[ColumnElement[bool]]:
    """The boards whose scope is not hidden."""
    if access.readable_repositories is not None:
        readable = any_(literal(list(access.readable_repositories), ARRAY(BigInteger)))
        yield _m.repository_id == readable
        return
    for column, hidden in (
        (_m.repository_id, access.hidden_repositories),
        (_m.team_id, access.hidden_teams),
    ):
        if hidden:
            others = all_(literal(list(hidden), ARRAY(BigInteger)))
            yield or_(column.is_(None), column != others)


def _rows_after(materialization_id: int, after: Position | None, limit: int) -> Select[Any]:
    """One index range from the top; two of them (the rest of the tie, then lower) further down."""
    page = select(*_SCORE).where(_s.materialization_id == materialization_id)
    if after is None:
        return page.order_by(_s.score.desc(), _entity_id).limit(limit)
    score = _points(after)
    tie = page.where(_s.score == score, _entity_id > after.entity_id)
    lower = page.where(_s.score < score)
    parts = [
        part.order_by(_s.score.desc(), _entity_id).limit(limit).subquery() for part in (tie, lower)
    ]
    both = union_all(*(select(*part.c) for part in parts)).subquery()
    return select(*both.c).order_by(both.c.score.desc(), both.c.entity_id).limit(limit)


def _rows_before(materialization_id: int, place: Position, limit: int) -> Select[Any]:
    """The same two ranges upwards, nearest first."""
    page = select(*_SCORE).where(_s.materialization_id == materialization_id)
    score = _points(place)
    tie = page.where(_s.score == score, _entity_id < place.entity_id)
    higher = page.where(_s.score > score)
    parts = [
        part.order_by(_s.score, _entity_id.desc()).limit(limit).subquery() for part in (tie, higher)
    ]
    both = union_all(*(select(*part.c) for part in parts)).subquery()
    return select(*both.c).order_by(both.c.score, both.c.entity_id.desc()).limit(limit)


def _points(place: Position) -> ColumnElement[Any]:
    score = cast(literal(place.score_e4, BigInteger), Numeric) / _E4
    return cast(score, Numeric(12, 4))


async def read_versions(connection: AsyncConnection, which: ColumnElement[bool]) -> list[Version]:
    """The versions of which this holds, in a transaction of the caller's."""
    query: Select[Any] = select(*_VERSION).select_from(_from).where(which)
    return [_version(row) for row in (await connection.execute(query)).all()]


class PostgresVersions:
    """The versions that PostgreSQL holds."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def current(self, address: BoardAddress) -> Version | None:
        """The current version of a board; None where it was never scored."""
        query = select(*_VERSION).select_from(_from)
        query = query.where(_m.retention_state == "current", *_is_addressed(address))
        found = await self._rows(query)
        return _version(found[0]) if found else None

    async def by_id(self, materialization_id: int) -> Version | None:
        """A version in whatever state; None where there is none of that id."""
        query = select(*_VERSION).select_from(_from).where(_m.id == materialization_id)
        found = await self._rows(query)
        return _version(found[0]) if found else None

    async def current_of(self, installation_id: int) -> list[Version]:
        """The current versions of all boards of an installation, whatever preset scored them."""
        query = select(*_VERSION).select_from(_from)
        query = query.where(_p.installation_id == installation_id, _m.retention_state == "current")
        return [_version(row) for row in await self._rows(query)]

    async def rows(self, version: Version, after: Position | None, limit: int) -> list[ScoreRow]:
        """At most `limit` rows behind `after` (None: from the top), in the board's order."""
        return [_score_row(row) for row in await self._rows(_rows_after(version.id, after, limit))]

    async def rows_before(self, version: Version, place: Position, limit: int) -> list[ScoreRow]:
        """At most `limit` rows directly before `place`, in the board's order."""
        found = await self._rows(_rows_before(version.id, place, limit))
        return [_score_row(row) for row in reversed(found)]

    async def rows_of(self, version: Version, ids: Collection[int]) -> list[ScoreRow]:
        """The rows of these entities, in the board's order; those without one are left out."""
        wanted = any_(literal(list(ids), ARRAY(BigInteger)))
        query = select(*_SCORE).where(_s.materialization_id == version.id, _entity_id == wanted)
        found = await self._rows(query.order_by(_s.score.desc(), _entity_id))
        return [_score_row(row) for row in found]

    async def served_boards(
        self,
        installation_id: int,
        scope: ScopeType | None,
        after: BoardKey | None,
        limit: int,
        access: Access,
    ) -> list[Version]:
        """Current versions of the served preset's boards, by board, behind `after`; those whose
        scope `access` hides are left out.
        """
        order = (_m.scope_type, _scope_id, _m.entity_type, _m.time_period)
        query = (
            select(*_VERSION)
            .select_from(_from)
            .where(_p.installation_id == installation_id, _p.is_served)
            .where(_m.retention_state == "current", *_is_seen(access))
        )
        if scope is not None:
            query = query.where(_m.scope_type == scope)
        if after is not None:
            place = tuple_(
                literal(after.scope_type, scope_type),
                literal(after.scope_id, BigInteger),
                literal(after.entity_type, entity_type),
                literal(after.time_period, time_period),
            )
            query = query.where(tuple_(*order) > place)
        return [_version(row) for row in await self._rows(query.order_by(*order).limit(limit))]

    async def records(
        self,
        installation_id: int,
        address: BoardAddress | None,
        *,
        current_only: bool,
        before_id: int | None,
        limit: int,
    ) -> list[VersionRecord]:
        """Versions of all the installation's boards, or of one, newest first, below `before_id`."""
        rules = cast(_i.rules, Text).label("rules_json")
        query = select(*_VERSION, rules, _i.input_mark).select_from(_from)
        query = query.where(_p.installation_id == installation_id)
        if address is not None:
            query = query.where(*_is_addressed(address))
        if current_only:
            query = query.where(_m.retention_state == "current")
        if before_id is not None:
            query = query.where(_m.id < before_id)
        found = await self._rows(query.order_by(_m.id.desc()).limit(limit))
        return [VersionRecord(_version(row), row.rules_json, row.input_mark) for row in found]

    async def _rows(self, query: Select[Any]) -> list[Row[Any]]:
        async with transaction(self._engine) as connection:
            return list((await connection.execute(query)).all())
