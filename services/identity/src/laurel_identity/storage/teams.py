"""The teams, which can also go."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import and_, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_identity.domain.entities import Kind, Team
from laurel_identity.storage.columns import any_id
from laurel_identity.storage.entities import SqlEntityStore
from laurel_identity.storage.observations import record_observations
from laurel_identity.storage.tables import entity_observations as observed
from laurel_identity.storage.tables import teams

_RELATIONS = [int(Kind.TEAM_MEMBER), int(Kind.TEAM_REPOSITORY)]


class SqlTeamStore(SqlEntityStore[Team]):
    """A TeamStore over PostgreSQL, within a transaction."""

    async def vanished(self, ids: Collection[int]) -> Mapping[int, datetime]:
        """When those of the ids that have no row were seen not to be."""
        rows = await self._connection.execute(
            select(observed.c.entity_id, observed.c.observed_at).where(
                observed.c.kind == int(Kind.TEAM),
                any_id(observed.c.entity_id, ids),
                ~exists().where(teams.c.id == observed.c.entity_id),
            )
        )
        return {row[0]: row[1] for row in rows}

    async def remove(self, ids: Collection[int], observed_at: datetime) -> None:
        """Deletes teams that nothing newer is known of; what refers to them goes by cascade."""
        newer = exists().where(
            and_(
                observed.c.kind == int(Kind.TEAM),
                observed.c.entity_id == teams.c.id,
                observed.c.observed_at > observed_at,
            )
        )
        gone = await self._connection.scalars(
            delete(teams).where(any_id(teams.c.id, ids), ~newer).returning(teams.c.id)
        )
        await _forget_relations(self._connection, set(gone))
        keys = [(each, 0) for each in ids]
        await record_observations(self._connection, Kind.TEAM, keys, observed_at)


async def _forget_relations(connection: AsyncConnection, team_ids: Collection[int]) -> None:
    await connection.execute(
        delete(observed).where(
            observed.c.kind.in_(_RELATIONS), any_id(observed.c.entity_id, team_ids)
        )
    )
