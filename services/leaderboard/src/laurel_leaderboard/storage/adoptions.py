"""Gives an installation's boards to another installation, in PostgreSQL."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import BigInteger

from laurel_common.db import run_transaction
from laurel_common.errors import ConcurrentChange, LaurelError, ReferenceMissing

_CONSTRAINTS: dict[str, Callable[[], LaurelError]] = {
    "fk_published_presets_installation": partial(
        ReferenceMissing, "the installation does not exist"
    ),
    "fk_published_presets_organization": partial(ReferenceMissing, "the account does not exist"),
    "uq_published_presets_served": ConcurrentChange,
}

# Publishers and whoever serves another preset take turns on these rows.
_LOCK = text(
    "SELECT preset_id, is_served FROM published_presets"
    " WHERE installation_id IN (:former, :later) ORDER BY preset_id FOR NO KEY UPDATE"
)
_OF_FORMER = text(
    "SELECT preset_id, is_served FROM published_presets WHERE installation_id = :former"
)
_UNSERVE = text(
    "UPDATE published_presets SET is_served = false WHERE installation_id = :later AND is_served"
)
_ADOPT = text(
    "UPDATE published_presets SET installation_id = :later, organization_id = :organization_id"
    " WHERE installation_id = :former"
)
# Only where an imported account turned out to be another one do boards get another account.
_OF_ACCOUNT = tuple(
    text(statement).bindparams(bindparam("preset_ids", type_=ARRAY(BigInteger)))
    for statement in (
        "UPDATE stale_boards s SET scope_id = :organization_id FROM leaderboard_boards b"
        " WHERE s.preset_id = ANY(:preset_ids) AND s.scope_type = 'organization'"
        " AND b.preset_id = s.preset_id AND b.organization_id = s.scope_id"
        " AND s.scope_id <> :organization_id",
        "UPDATE leaderboard_boards SET organization_id = :organization_id"
        " WHERE preset_id = ANY(:preset_ids) AND organization_id <> :organization_id",
        "UPDATE leaderboard_materializations SET organization_id = :organization_id,"
        " redis_cache_key = replace(redis_cache_key, ':organization:' || organization_id || ':',"
        " ':organization:' || CAST(:organization_id AS bigint) || ':')"
        " WHERE preset_id = ANY(:preset_ids) AND organization_id <> :organization_id",
    )
)
# Versions settled marks of the former one: the next mark is higher than all of both. All boards
# have one now, until they are scored under their new installation.
_MARK = text(
    "INSERT INTO stale_installations AS s (installation_id, last_mark, mark, cause, marked_at)"
    " SELECT :later, coalesce(max(last_mark), 0) + 1, coalesce(max(last_mark), 0) + 1,"
    " 'signals', :now FROM stale_installations WHERE installation_id IN (:former, :later)"
    " ON CONFLICT (installation_id) DO UPDATE SET last_mark = excluded.last_mark,"
    " mark = excluded.mark, cause = excluded.cause, marked_at = excluded.marked_at"
).bindparams(bindparam("now", type_=TIMESTAMP(timezone=True)))
_FORGET_MARKS = text("DELETE FROM stale_installations WHERE installation_id = :former")


class PostgresAdoptions:
    """Implements Adoptions."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def adopt(
        self, former: int, later: int, organization_id: int, now: datetime
    ) -> list[int]:
        """See Adoptions."""
        values = {"former": former, "later": later, "organization_id": organization_id}

        async def work(connection: AsyncConnection) -> list[int]:
            await connection.execute(_LOCK, values)
            presets = (await connection.execute(_OF_FORMER, values)).all()
            if not presets:
                return []
            if any(row.is_served for row in presets):
                await connection.execute(_UNSERVE, values)
            await connection.execute(_ADOPT, values)
            ids = [row.preset_id for row in presets]
            for statement in _OF_ACCOUNT:
                await connection.execute(statement, values | {"preset_ids": ids})
            await connection.execute(_MARK, values | {"now": now})
            await connection.execute(_FORGET_MARKS, values)
            return ids

        return await run_transaction(self._engine, work, constraints=_CONSTRAINTS)
