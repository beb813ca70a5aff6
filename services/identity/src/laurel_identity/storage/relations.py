"""The rows of one kind of relation, read and written in bulk."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import BigInteger, and_, delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_identity.domain.entities import Relation
from laurel_identity.domain.planning import RelationPlan, StoredRelation
from laurel_identity.storage.columns import Columns, any_id, unnested, unnested_like
from laurel_identity.storage.mappings import RelationMapping
from laurel_identity.storage.observations import record_observations
from laurel_identity.storage.tables import entity_observations

_KEY: Columns = [("left", BigInteger()), ("right", BigInteger())]


class SqlRelationStore:
    """A RelationStore over one table, within a transaction."""

    def __init__(self, connection: AsyncConnection, mapping: RelationMapping) -> None:
        self._connection = connection
        self._mapping = mapping
        self._table = mapping.table

    async def load(self, keys: Collection[tuple[int, int]]) -> list[StoredRelation]:
        """The rows with one of the keys, and when those that are not there were seen not to be."""
        seen, table = entity_observations, self._table
        left, right = table.c[self._mapping.left], table.c[self._mapping.right]
        wanted = unnested("wanted", _KEY, sorted(keys))
        result = await self._connection.execute(
            select(wanted.c.left, wanted.c.right, table.c[self._mapping.role], seen.c.observed_at)
            .select_from(wanted)
            .outerjoin(table, and_(left == wanted.c.left, right == wanted.c.right))
            .outerjoin(
                seen,
                and_(
                    seen.c.kind == int(self._mapping.kind),
                    seen.c.entity_id == wanted.c.left,
                    seen.c.related_id == wanted.c.right,
                ),
            )
            .where(or_(left.is_not(None), seen.c.observed_at.is_not(None)))
        )
        return [
            StoredRelation(Relation(row[0], row[1], row[2] or ""), row[3], row[2] is not None)
            for row in result
        ]

    async def keys_of(self, lefts: Collection[int]) -> set[tuple[int, int]]:
        """The keys of all rows with one of the left sides."""
        left, right = self._table.c[self._mapping.left], self._table.c[self._mapping.right]
        rows = await self._connection.execute(select(left, right).where(any_id(left, lefts)))
        return {(row[0], row[1]) for row in rows}

    async def apply(self, plan: RelationPlan, observed_at: datetime) -> None:
        """Carries the plan out: a statement for the rows, one for those that go, one for their
        observation.
        """
        relations = sorted([*plan.insert, *plan.revise], key=lambda each: each.key)
        if relations:
            await self._put(relations)
        if plan.remove:
            await self._remove(plan.remove)
        keys = plan.observed
        await record_observations(self._connection, self._mapping.kind, keys, observed_at)

    async def _remove(self, keys: Collection[tuple[int, int]]) -> None:
        gone = unnested("gone", _KEY, sorted(keys))
        left, right = self._table.c[self._mapping.left], self._table.c[self._mapping.right]
        await self._connection.execute(
            delete(self._table).where(left == gone.c.left, right == gone.c.right)
        )

    async def _put(self, relations: Collection[Relation]) -> None:
        mapping, table = self._mapping, self._table
        columns = (mapping.left, mapping.right, mapping.role)
        rows = [mapping.values(each) for each in relations]
        new = unnested_like("new", table, columns, rows)
        put = insert(table).from_select(columns, select(*(new.c[name] for name in columns)))
        await self._connection.execute(
            put.on_conflict_do_update(
                index_elements=[table.c[mapping.left], table.c[mapping.right]],
                set_={mapping.role: put.excluded[mapping.role]},
            )
        )
