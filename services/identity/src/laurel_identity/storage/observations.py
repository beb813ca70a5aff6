"""When the directory last heard of its rows."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, SmallInteger, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_identity.domain.entities import Kind
from laurel_identity.storage.columns import Columns, unnested
from laurel_identity.storage.tables import entity_observations

_KEY: Columns = [("entity_id", BigInteger()), ("related_id", BigInteger())]


async def record_observations(
    connection: AsyncConnection,
    kind: Kind,
    keys: Sequence[tuple[int, int]],
    observed_at: datetime,
) -> None:
    """Notes that rows of one kind, by both halves of their keys, were seen; an earlier sight than
    the one noted changes nothing.
    """
    if not keys:
        return
    table = entity_observations
    seen = unnested("seen", _KEY, sorted(keys))
    note = insert(table).from_select(
        ["kind", "entity_id", "related_id", "observed_at"],
        select(
            literal(int(kind), SmallInteger),
            seen.c.entity_id,
            seen.c.related_id,
            literal(observed_at, DateTime(timezone=True)),
        ),
    )
    await connection.execute(
        note.on_conflict_do_update(
            index_elements=[table.c.kind, table.c.entity_id, table.c.related_id],
            set_={"observed_at": note.excluded.observed_at},
            where=table.c.observed_at < note.excluded.observed_at,
        )
    )
