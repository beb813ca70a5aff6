"""Reads a version's rows as columns: PostgreSQL writes them as CSV, Arrow reads that."""

import asyncio
from typing import Any, cast

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_leaderboard.domain.entries import Position
from laurel_leaderboard.domain.exports import STORED
from laurel_leaderboard.domain.rows import COUNTS, POINTS
from laurel_leaderboard.domain.versions import Version

_ENTITY = "COALESCE(user_id, scored_team_id, scored_repo_id)"
_COLUMNS = ", ".join(
    [
        "rank",
        f"{_ENTITY} AS entity_id",
        "(score * 10000)::bigint AS score_e4",
        *(
            f"((breakdown ->> '{name.removesuffix('_e4')}')::numeric * 10000)::bigint AS {name}"
            for name in POINTS
        ),
        *(f"(counts ->> '{name.removeprefix('count_')}')::integer AS {name}" for name in COUNTS),
        "additions",
        "deletions",
        "member_count",
    ]
)
_SELECT = f"SELECT {_COLUMNS} FROM computed_scores WHERE materialization_id = %(id)s"  # noqa: S608 - put together of constants alone
_IN_ORDER = f" ORDER BY score DESC, {_ENTITY} LIMIT %(limit)s"
_FROM_TOP = f"({_SELECT}{_IN_ORDER})"
# The rest of the tie, then what is lower: two ranges of the index.
_BEHIND = (
    f"({_SELECT} AND score = %(score)s::numeric / 10000"
    f" AND {_ENTITY} > %(entity_id)s{_IN_ORDER}) UNION ALL "
    f"({_SELECT} AND score < %(score)s::numeric / 10000{_IN_ORDER})"
)
_COPY = (
    "COPY (SELECT * FROM ({}) slice ORDER BY score_e4 DESC, entity_id LIMIT %(limit)s)"
    " TO STDOUT (FORMAT csv)"
)
_READ = csv.ReadOptions(column_names=STORED.names)
_CONVERT = csv.ConvertOptions(column_types=STORED)


class PostgresExports:
    """The rows that PostgreSQL holds."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def slice(self, version: Version, after: Position | None, limit: int) -> pa.RecordBatch:
        """At most `limit` rows behind `after` in the board's order, as STORED's columns; none
        where the version has no rows any more.
        """
        values: dict[str, Any] = {"id": version.id, "limit": limit}
        if after is not None:
            values |= {"score": after.score_e4, "entity_id": after.entity_id}
        query = sql.SQL(cast(Any, _COPY.format(_FROM_TOP if after is None else _BEHIND)))
        async with transaction(self._engine) as connection:
            raw = await connection.get_raw_connection()
            driver = cast("psycopg.AsyncConnection[tuple[Any, ...]]", raw.driver_connection)
            async with driver.cursor() as cursor, cursor.copy(query, values) as copy:
                data = b"".join([bytes(block) async for block in copy])
        return await asyncio.to_thread(_parse, data)


def _parse(data: bytes) -> pa.RecordBatch:
    if not data:
        return pa.RecordBatch.from_pylist([], schema=STORED)
    table = csv.read_csv(pa.py_buffer(data), read_options=_READ, convert_options=_CONVERT)
    return table.combine_chunks().to_batches()[0]
