"""Writes to the directory: one transaction each, locked by what they are going to touch."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db.transaction import run_transaction
from laurel_common.errors import ConcurrentChange, LaurelError, ReferenceMissing
from laurel_identity.application.ports import DirectoryWriter, WriteScope
from laurel_identity.domain.entities import Kind
from laurel_identity.storage.accounts import SqlAccountStore
from laurel_identity.storage.app_installations import SqlInstallationStore
from laurel_identity.storage.entities import SqlEntityStore
from laurel_identity.storage.mappings import (
    ORGANIZATIONS,
    RELATIONS,
    REPOSITORIES,
    TEAMS,
    USERS,
    EntityMapping,
)
from laurel_identity.storage.private_addresses import SqlPrivateAddressStore
from laurel_identity.storage.relations import SqlRelationStore
from laurel_identity.storage.stripes import (
    ID_LOCKS,
    NAME_LOCKS,
    id_stripe,
    id_stripes,
    lock_stripes,
    name_stripes,
)
from laurel_identity.storage.teams import SqlTeamStore

T = TypeVar("T")
_ATTEMPTS = 5

# What was there when references were checked can be gone when they are written.
CONSTRAINTS: dict[str, Callable[[], LaurelError]] = {
    constraint.name: partial(ReferenceMissing, metadata={"constraint": str(constraint.name)})
    for table in (
        REPOSITORIES.table,
        TEAMS.table,
        *(relation.table for relation in RELATIONS.values()),
    )
    for constraint in table.foreign_key_constraints
    if isinstance(constraint.name, str)
}

# A team whose boards were published again after leaderboard had forgotten it.
CONSTRAINTS |= {
    f"fk_{table}_team": ConcurrentChange
    for table in ("computed_scores", "leaderboard_boards", "leaderboard_materializations")
}


class SqlDirectory:
    """A Directory over PostgreSQL.

    At most `writers` writes at a time: where they overlap, they wait for one another in the
    database, and would leave no connection to those who read. Who comes later waits here, in order.
    `on_commit` is called after each.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        writers: int = 4,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._on_commit = on_commit
        self._turns = asyncio.Semaphore(writers)

    async def write(self, scope: WriteScope, work: Callable[[DirectoryWriter], Awaitable[T]]) -> T:
        """Runs `work` in a transaction that holds the stripes of its scope and of those who hold
        the names in it.
        """

        async def attempt(connection: AsyncConnection) -> T:
            await lock_stripes(connection, NAME_LOCKS, name_stripes(scope))
            # With the names locked, nobody else becomes the holder of one.
            held = id_stripes(scope) | await _holders(connection, scope)
            await lock_stripes(connection, ID_LOCKS, held)
            return await work(SqlDirectoryWriter(connection, held))

        async with self._turns:
            done = await run_transaction(
                self._engine, attempt, constraints=CONSTRAINTS, attempts=_ATTEMPTS
            )
        self._on_commit()
        return done


class SqlDirectoryWriter:
    """A DirectoryWriter within a transaction that holds the stripes `held`."""

    def __init__(self, connection: AsyncConnection, held: Collection[int]) -> None:
        self._connection = connection
        self.users = SqlEntityStore(connection, USERS, held)
        self.organizations = SqlEntityStore(connection, ORGANIZATIONS, held)
        self.repositories = SqlEntityStore(connection, REPOSITORIES, held)
        self.teams = SqlTeamStore(connection, TEAMS, held)
        self.accounts = SqlAccountStore(connection)
        self.installations = SqlInstallationStore(connection)
        self.private_addresses = SqlPrivateAddressStore(connection)

    def relations(self, kind: Kind) -> SqlRelationStore:
        """The store of one kind of relation."""
        return SqlRelationStore(self._connection, RELATIONS[kind])


async def _holders(connection: AsyncConnection, scope: WriteScope) -> set[int]:
    """The stripes of the rows that hold a name of the scope now."""
    wanted: list[tuple[EntityMapping[Any], Collection[Hashable]]] = [
        (USERS, scope.logins),
        (ORGANIZATIONS, scope.logins),
        (REPOSITORIES, scope.full_names),
        (TEAMS, scope.team_slugs),
    ]
    stripes: set[int] = set()
    for mapping, keys in wanted:
        if keys:
            ids = await connection.scalars(select(mapping.table.c.id).where(mapping.holds(keys)))
            stripes |= {id_stripe(mapping.kind, each) for each in ids}
    return stripes
