"""The rows of one kind of entity, read and written in bulk."""

from collections.abc import Collection, Hashable, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import and_, cast, select, union, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_common.errors import ConcurrentChange
from laurel_identity.domain.entities import Entity
from laurel_identity.domain.planning import Plan, Rename, Stored
from laurel_identity.storage.columns import any_id, unnested_like
from laurel_identity.storage.mappings import EntityMapping, columns_of
from laurel_identity.storage.observations import record_observations
from laurel_identity.storage.stripes import id_stripe
from laurel_identity.storage.tables import entity_observations

E = TypeVar("E", bound=Entity)


class SqlEntityStore(Generic[E]):
    """An EntityStore over one table, within a transaction that holds the stripes `held`."""

    def __init__(
        self, connection: AsyncConnection, mapping: EntityMapping[E], held: Collection[int]
    ) -> None:
        self._connection = connection
        self._mapping = mapping
        self._table = mapping.table
        self._held = held

    async def load(self, ids: Collection[int], keys: Collection[Hashable]) -> list[Stored[E]]:
        """The rows with one of the ids or one of the name keys.

        Raises ConcurrentChange where a row is not covered by the locks, as when accounts were
        merged meanwhile: the next attempt's will.
        """
        table, seen = self._table, entity_observations
        found = union(
            select(table.c.id).where(any_id(table.c.id, ids)),
            select(table.c.id).where(self._mapping.holds(keys)),
        ).subquery("found")
        result = await self._connection.execute(
            select(seen.c.observed_at, *columns_of(self._mapping))
            .select_from(found)
            .join(table, table.c.id == found.c.id)
            .outerjoin(
                seen,
                and_(
                    seen.c.kind == int(self._mapping.kind),
                    seen.c.entity_id == table.c.id,
                    seen.c.related_id == 0,
                ),
            )
        )
        rows = [Stored(self._mapping.entity(*row[1:]), row[0]) for row in result.all()]
        kind = self._mapping.kind
        if any(id_stripe(kind, row.entity.id) not in self._held for row in rows):
            raise ConcurrentChange
        return rows

    async def apply(self, plan: Plan[E], observed_at: datetime) -> None:
        """Carries the plan out: a statement for each of its parts that is not empty."""
        names, rest = self._mapping.names, self._mapping.rest
        await self._rename(plan.vacate, names)
        await self._rename(plan.rename, (*names, *rest))
        await self._put([*plan.insert, *plan.revise])
        keys = [(entity_id, 0) for entity_id in plan.observed]
        await record_observations(self._connection, self._mapping.kind, keys, observed_at)

    async def existing(self, ids: Collection[int]) -> set[int]:
        """Those of the ids that have a row."""
        id_column = self._table.c.id
        result = await self._connection.scalars(select(id_column).where(any_id(id_column, ids)))
        return set(result)

    async def _rename(self, changes: Sequence[Rename[E]], columns: Sequence[str]) -> None:
        if not changes:
            return
        new = unnested_like("new", self._table, self._mapping.columns, self._rows(changes))
        await self._connection.execute(
            update(self._table)
            .where(self._table.c.id == new.c.id)
            .values({name: cast(new.c[name], self._table.c[name].type) for name in columns})
        )

    async def _put(self, entities: Sequence[E]) -> None:
        """Inserts rows; those that stand get their other columns, their names are left alone: an
        update of a unique key would wait for every foreign-key check in flight."""
        if not entities:
            return
        table, columns = self._table, self._mapping.columns
        rows = [self._mapping.values(each) for each in sorted(entities, key=lambda e: e.id)]
        new = unnested_like("new", table, columns, rows)
        put = insert(table).from_select(
            columns, select(*(cast(new.c[name], table.c[name].type) for name in columns))
        )
        await self._connection.execute(
            put.on_conflict_do_update(
                index_elements=[table.c.id],
                set_={name: put.excluded[name] for name in self._mapping.rest},
            )
        )

    def _rows(self, changes: Sequence[Rename[E]]) -> list[tuple[Any, ...]]:
        return [
            self._mapping.values(change.new)
            for change in sorted(changes, key=lambda each: each.new.id)
        ]
