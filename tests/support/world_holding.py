"""Holds the services still in the middle of what they do: locks that they have to wait for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from tests.support.stack_running import Laurel, until


@dataclass(slots=True)
class Hold:
    """A lock that somebody else waits for."""

    laurel: Laurel
    connection: psycopg.Connection[Any]

    async def until_waited_for(self, role: str) -> None:
        """Waits until a transaction of a service stands before the lock."""
        await until(lambda: self._waiting(role), f"{role} waits for the lock")

    def _waiting(self, role: str) -> bool:
        with self.laurel.connect() as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE usename = %s"
                " AND datname = current_database() AND %s = ANY(pg_blocking_pids(pid))",
                (role, self.connection.info.backend_pid),
            ).fetchone()
        return found is not None


@contextmanager
def hold_table(laurel: Laurel, table: str, mode: str) -> Iterator[Hold]:
    """Locks a table while the block runs."""
    statement = sql.SQL("LOCK TABLE {} IN {} MODE").format(
        sql.Identifier(table),
        sql.SQL(mode),
    )
    with _transaction(laurel) as connection:
        connection.execute(statement)
        yield Hold(laurel, connection)


@contextmanager
def hold_versions(laurel: Laurel, scope: str) -> Iterator[Hold]:
    """Locks the current versions of all boards of a kind of scope while the block runs."""
    with _transaction(laurel) as connection:
        connection.execute(
            "SELECT id FROM leaderboard_materializations"
            " WHERE scope_type = %s::score_scope_type AND retention_state = 'current' FOR UPDATE",
            (scope,),
        )
        yield Hold(laurel, connection)


@contextmanager
def _transaction(laurel: Laurel) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(laurel.database_url) as connection:
        yield connection
        if not connection.closed:
            connection.rollback()
