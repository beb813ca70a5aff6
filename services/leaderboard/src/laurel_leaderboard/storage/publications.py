"""Writes a group of boards in one transaction: versions, inputs, rows, and what they replace."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

import psycopg
import pyarrow as pa
from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import BigInteger, Integer, LargeBinary, Text

from laurel_common.db import run_transaction, transaction, typed_errors
from laurel_common.errors import ConcurrentChange, InvalidRequest, LaurelError, ReferenceMissing
from laurel_leaderboard.domain.boards import BoardKey, EntityType, Preset, ScopeType, TimePeriod
from laurel_leaderboard.domain.errors import NewerVersionExists
from laurel_leaderboard.domain.rows import GroupRows
from laurel_leaderboard.domain.versions import (
    Current,
    NewBoard,
    Plan,
    Published,
    PublishHeader,
    Unchanged,
    plan_group,
    settled_marks,
)
from laurel_leaderboard.storage.cache_keys import pointer_key
from laurel_leaderboard.storage.score_copy import COPY_SCORES, WrittenBoard, copy_chunks
from laurel_leaderboard.storage.unchanged import note_unchanged


def _missing(what: str) -> Callable[[], LaurelError]:
    return partial(ReferenceMissing, f"{what} does not exist")


_CONSTRAINTS: dict[str, Callable[[], LaurelError]] = {
    "fk_published_presets_preset": _missing("the preset"),
    "fk_published_presets_installation": _missing("the installation"),
    "fk_published_presets_organization": _missing("the organization"),
    "fk_leaderboard_materializations_preset": _missing("the preset"),
    "fk_leaderboard_materializations_organization": _missing("the organization"),
    "fk_leaderboard_materializations_team": _missing("a team that a board covers"),
    "fk_leaderboard_materializations_repository": _missing("a repository that a board covers"),
    "fk_computed_scores_user": _missing("a user of the rows"),
    "fk_computed_scores_team": _missing("a team of the rows"),
    "fk_computed_scores_repository": _missing("a repository of the rows"),
    # Two new presets of one installation can't see each other: the later one tries again.
    "uq_published_presets_served": ConcurrentChange,
    # The row lock makes publishers take turns; should one ever slip past it, these are the last
    # word.
    **{
        f"uq_leaderboard_materializations_{scope}_{what}": NewerVersionExists
        for scope in ScopeType
        for what in ("current", "version")
    },
}

_INSERT_PRESET = text(
    "INSERT INTO published_presets (preset_id, installation_id, organization_id)"
    " VALUES (:preset_id, :installation_id, :organization_id) ON CONFLICT (preset_id) DO NOTHING"
)
# Publishers of one preset take turns here; readers are not held up.
_LOCK_PRESET = text(
    "SELECT installation_id, organization_id FROM published_presets"
    " WHERE preset_id = :preset_id FOR NO KEY UPDATE"
)
_SELECT_CURRENT = text(
    "SELECT m.scope_type::text, coalesce(m.team_id, m.repository_id, m.organization_id),"
    " m.entity_type::text, m.time_period::text, m.id, m.version, i.as_of, i.digest,"
    " i.settled_mark"
    " FROM leaderboard_materializations m"
    " JOIN materialization_inputs i ON i.materialization_id = m.id"
    " WHERE m.preset_id = :preset_id AND m.retention_state = 'current'"
    " AND coalesce(m.team_id, m.repository_id, m.organization_id) = ANY(:scope_ids)"
).bindparams(bindparam("scope_ids", type_=ARRAY(BigInteger)))
_TOUCH_UNCHANGED = text(
    "UPDATE materialization_inputs"
    " SET as_of = :as_of, input_mark = :input_mark, last_checked_at = :now,"
    " settled_mark = GREATEST(settled_mark, :stale_mark)"
    " WHERE materialization_id = ANY(:ids)"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
_SUPERSEDE = text(
    "UPDATE leaderboard_materializations SET retention_state = 'superseded',"
    " superseded_at = :now, retention_expires_at = :expires_at WHERE id = ANY(:ids)"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
_TAKE_IDS = text(
    "SELECT nextval('leaderboard_materializations_id_seq') FROM generate_series(1, :count)"
)
_INSERT_VERSIONS = text(
    "INSERT INTO leaderboard_materializations (id, preset_id, scope_type, organization_id,"
    " team_id, repository_id, entity_type, time_period, version, row_count, signal_count,"
    " retention_state, redis_cache_key, computed_at)"
    " SELECT id, :preset_id, scope_type::score_scope_type, :organization_id,"
    " CASE scope_type WHEN 'team' THEN scope_id END,"
    " CASE scope_type WHEN 'repository' THEN scope_id END,"
    " entity_type::score_entity_type, time_period::score_time_period, version, row_count,"
    " signal_count, 'current', redis_cache_key, :now"
    " FROM unnest(:ids, :scope_types, :scope_ids, :entity_types, :time_periods, :versions,"
    " :row_counts, :signal_counts, :redis_cache_keys)"
    " AS board (id, scope_type, scope_id, entity_type, time_period, version, row_count,"
    " signal_count, redis_cache_key)"
).bindparams(
    *(bindparam(name, type_=ARRAY(BigInteger)) for name in ("ids", "scope_ids")),
    *(bindparam(name, type_=ARRAY(Integer)) for name in ("versions", "row_counts")),
    bindparam("signal_counts", type_=ARRAY(Integer)),
    *(
        bindparam(name, type_=ARRAY(Text))
        for name in ("scope_types", "entity_types", "time_periods", "redis_cache_keys")
    ),
    bindparam("now", type_=TIMESTAMP(timezone=True)),
)
_INSERT_INPUTS = text(
    "INSERT INTO materialization_inputs"
    " (materialization_id, as_of, rules, input_mark, last_checked_at, digest, settled_mark)"
    " SELECT id, :as_of, CAST(:rules AS jsonb), :input_mark, :now, digest, settled_mark"
    " FROM unnest(:ids, :digests, :settled_marks) AS board (id, digest, settled_mark)"
).bindparams(
    bindparam("settled_marks", type_=ARRAY(BigInteger)),
    bindparam("ids", type_=ARRAY(BigInteger)),
    bindparam("digests", type_=ARRAY(LargeBinary)),
    bindparam("as_of", type_=TIMESTAMP(timezone=True)),
    bindparam("now", type_=TIMESTAMP(timezone=True)),
    bindparam("input_mark", type_=Text),
)
_UNSERVE_OTHERS = text(
    "UPDATE published_presets SET is_served = false"
    " WHERE installation_id = :installation_id AND is_served AND preset_id <> :preset_id"
)
_SERVE = text(
    "UPDATE published_presets SET is_served = true WHERE preset_id = :preset_id AND NOT is_served"
)
# Those who serve different presets of an installation meet here, in one order.
_LOCK_PRESETS = text(
    "SELECT preset_id, installation_id, organization_id FROM published_presets"
    " WHERE installation_id = :installation_id OR preset_id = :preset_id"
    " ORDER BY preset_id FOR NO KEY UPDATE"
)


class PostgresPublications:
    """Publishes into PostgreSQL; each method is one transaction."""

    def __init__(self, engine: AsyncEngine, *, retention: timedelta) -> None:
        self._engine = engine
        self._retention = retention

    async def publish_group(
        self, header: PublishHeader, boards: Sequence[NewBoard], rows: GroupRows, now: datetime
    ) -> Published:
        """Makes each changed board's rows its current version, and notes the check of the rest.

        Raises NewerVersionExists, ReferenceMissing, InvalidRequest (the preset is another
        installation's) or a database error; then nothing is written.
        """
        async with transaction(self._engine, constraints=_CONSTRAINTS) as connection:
            await _hold_preset(connection, header)
            current = await _current_versions(connection, header, boards)
            plan = plan_group(boards, current, header.as_of)
            await self._retire(connection, header, plan, now)
            settled = settled_marks(boards, plan, current, header.stale_mark)
            ids = await _insert_versions(connection, header, boards, plan, now)
            digests = [boards[index].digest for index in plan.fresh]
            made = list(zip(ids, digests, settled, strict=True))
            await _insert_inputs(connection, header, made, now)
            await _insert_scores(connection, boards, rows, plan, ids)
        return Published(plan, tuple(ids), tuple(settled))

    async def note_unchanged(
        self, header: PublishHeader, boards: Sequence[Unchanged], now: datetime
    ) -> list[int]:
        """See Publications."""
        async with transaction(self._engine, constraints=_CONSTRAINTS) as connection:
            await _hold_preset(connection, header)
            return await note_unchanged(connection, header, boards, now)

    async def serve_preset(self, header: PublishHeader) -> None:
        """Makes the header's preset the one that its installation serves."""
        preset = header.preset
        ids = {"preset_id": preset.preset_id, "installation_id": preset.installation_id}

        async def serve(connection: AsyncConnection) -> None:
            await connection.execute(_INSERT_PRESET, preset._asdict())
            found = (await connection.execute(_LOCK_PRESETS, ids)).all()
            _check_owner(preset, next(row for row in found if row.preset_id == preset.preset_id))
            await connection.execute(_UNSERVE_OTHERS, ids)
            await connection.execute(_SERVE, ids)

        await run_transaction(self._engine, serve, constraints=_CONSTRAINTS)

    async def _retire(
        self, connection: AsyncConnection, header: PublishHeader, plan: Plan, now: datetime
    ) -> None:
        if plan.unchanged:
            await connection.execute(
                _TOUCH_UNCHANGED,
                {
                    "ids": list(plan.unchanged),
                    "as_of": header.as_of,
                    "input_mark": header.input_mark,
                    "stale_mark": header.stale_mark,
                    "now": now,
                },
            )
        if plan.superseded:
            await connection.execute(
                _SUPERSEDE,
                {
                    "ids": list(plan.superseded),
                    "now": now,
                    "expires_at": now + self._retention,
                },
            )


async def _hold_preset(connection: AsyncConnection, header: PublishHeader) -> None:
    preset = header.preset
    await connection.execute(_INSERT_PRESET, preset._asdict())
    found = (await connection.execute(_LOCK_PRESET, {"preset_id": preset.preset_id})).one()
    _check_owner(preset, found)


def _check_owner(preset: Preset, found: Row[Any]) -> None:
    """What a preset was first published with stays so."""
    if found.installation_id != preset.installation_id:
        raise InvalidRequest.of(("header.preset_id", "belongs to another installation"))
    if found.organization_id != preset.organization_id:
        raise InvalidRequest.of(("header.organization_id", "is not the installation's account"))


async def _current_versions(
    connection: AsyncConnection, header: PublishHeader, boards: Sequence[NewBoard]
) -> dict[BoardKey, Current]:
    result = await connection.execute(
        _SELECT_CURRENT,
        {
            "preset_id": header.preset.preset_id,
            "scope_ids": list({board.key.scope_id for board in boards}),
        },
    )
    return {
        BoardKey(ScopeType(scope), scope_id, EntityType(entity), TimePeriod(period)): Current(
            id=id_, number=version, as_of=as_of, digest=bytes(digest), settled_mark=settled
        )
        for scope, scope_id, entity, period, id_, version, as_of, digest, settled in result
    }


async def _insert_versions(
    connection: AsyncConnection,
    header: PublishHeader,
    boards: Sequence[NewBoard],
    plan: Plan,
    now: datetime,
) -> list[int]:
    """Inserts versions of the plan's fresh boards; their ids, in that order."""
    if not plan.fresh:
        return []
    fresh = [boards[index] for index in plan.fresh]
    ids = sorted((await connection.execute(_TAKE_IDS, {"count": len(fresh)})).scalars())
    preset_id = header.preset.preset_id
    versions: dict[str, Any] = {
        "preset_id": preset_id,
        "organization_id": header.preset.organization_id,
        "now": now,
        "ids": ids,
        "scope_types": [board.key.scope_type.value for board in fresh],
        "scope_ids": [board.key.scope_id for board in fresh],
        "entity_types": [board.key.entity_type.value for board in fresh],
        "time_periods": [board.key.time_period.value for board in fresh],
        "versions": list(plan.numbers),
        "row_counts": [board.row_count for board in fresh],
        "signal_counts": [board.signal_count for board in fresh],
        "redis_cache_keys": [pointer_key(preset_id, board.key) for board in fresh],
    }
    await connection.execute(_INSERT_VERSIONS, versions)
    return ids


async def _insert_inputs(
    connection: AsyncConnection,
    header: PublishHeader,
    made: Sequence[tuple[int, bytes, int]],
    now: datetime,
) -> None:
    """Notes what versions were made from: each its id, digest and settled mark."""
    if not made:
        return
    ids, digests, settled = zip(*made, strict=True)
    inputs = {
        "ids": list(ids),
        "digests": list(digests),
        "settled_marks": list(settled),
        "as_of": header.as_of,
        "rules": header.rules_json,
        "input_mark": header.input_mark,
        "now": now,
    }
    await connection.execute(_INSERT_INPUTS, inputs)


async def _insert_scores(
    connection: AsyncConnection,
    boards: Sequence[NewBoard],
    rows: GroupRows,
    plan: Plan,
    ids: Sequence[int],
) -> None:
    """Copies the rows of the plan's fresh boards, encoding a chunk ahead of the one under way."""
    written: list[WrittenBoard | None] = [None] * len(boards)
    for index, id_, number in zip(plan.fresh, ids, plan.numbers, strict=True):
        written[index] = WrittenBoard(boards[index].key, id_, number)
    if plan.unchanged:
        rows = await asyncio.to_thread(rows.of_boards, plan.fresh)
    if rows.table.num_rows == 0:
        return
    raw = await connection.get_raw_connection()
    driver = cast("psycopg.AsyncConnection[tuple[Any, ...]]", raw.driver_connection)
    # A session keeps the plans by which it checks foreign keys. Made while the tables were all but
    # empty they read them from end to end, and go on to for every row of every later publish.
    await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    chunks = copy_chunks(rows, written)
    with typed_errors(_CONSTRAINTS):
        async with driver.cursor() as cursor, cursor.copy(COPY_SCORES) as copy:
            following = asyncio.create_task(asyncio.to_thread(_next_chunk, chunks))
            while (chunk := await following) is not None:
                following = asyncio.create_task(asyncio.to_thread(_next_chunk, chunks))
                await copy.write(memoryview(chunk))


def _next_chunk(chunks: Iterator[pa.Buffer]) -> pa.Buffer | None:
    return next(chunks, None)
