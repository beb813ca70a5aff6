"""Applies the migration files in order, each once and whole, however many runners there are."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import Connection
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.migrations import Migration

from laurel_common.db.engine import psycopg_url

from .files import migrations_directory
from .versions import LOG_TABLE, current_version

logger = logging.getLogger(__name__)

# Any number, as long as every version of this code uses the same.
_LOCK_KEY = 0x6C617572656C
_SESSION_SETTINGS = """
    SET search_path = public;
    SET timezone = 'UTC';
    SET client_min_messages = warning;
    SET statement_timeout = 0;
    SET idle_in_transaction_session_timeout = 0;
"""

# Runs after the files, in a transaction of its own and under the same lock.
AfterMigrations = Callable[[Connection[Any]], None]


class MigrationError(Exception):
    """A migration file failed; it left nothing behind, and those before it stay applied."""

    def __init__(self, name: str, cause: psycopg.Error) -> None:
        self.name = name
        super().__init__(f"migration {name} failed: {str(cause).strip()}")


class BaselineError(Exception):
    """What is said to have been applied by hand does not fit the files or the database."""


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What a run did: the names it applied, in order, and the database's version afterwards."""

    applied: tuple[str, ...]
    version: str


def migrate(
    url: str,
    directory: Path | None = None,
    *,
    after: Sequence[AfterMigrations] = (),
    baseline: str | None = None,
) -> MigrationReport:
    """Applies what is missing; a second run, also one at the same time, changes nothing.

    `url` connects as the owner of the schema, who may create roles. `after` are installers of
    tables that come with libraries; they run every time and must be idempotent. `baseline` names
    the last file that was applied by hand (psql): up to it files are noted, not run. Raises
    MigrationsNotFoundError, BaselineError, MigrationError, psycopg.Error.
    """
    folder = migrations_directory(directory)
    backend = _Backend(psycopg_url(url), LOG_TABLE)
    with backend, _one_at_a_time(backend.connection):
        migrations = read_migrations(str(folder))
        if baseline is not None:
            _note(backend, migrations, baseline)
        pending = list(backend.to_apply(migrations))
        for migration in pending:
            backend.apply_one(migration)
        with backend.connection.transaction():
            # Health checks of every service read which migrations have been applied.
            backend.connection.execute(f"GRANT SELECT ON public.{LOG_TABLE} TO PUBLIC")
        for step in after:
            with backend.connection.transaction():
                step(backend.connection)
        version = current_version(backend.connection)
    return MigrationReport(tuple(migration.id for migration in pending), version or "")


def _note(backend: "_Backend", migrations: Sequence[Migration], baseline: str) -> None:
    """Marks the files up to `baseline`; all of them, or none."""
    names = [migration.id for migration in migrations]
    if baseline not in names:
        raise BaselineError(f"there is no migration {baseline!r}")
    if noted := current_version(backend.connection):
        raise BaselineError(f"this database has its log already; it is at {noted}")
    backend.ensure_internal_schema_updated()
    with backend.transaction():
        for migration in migrations[: names.index(baseline) + 1]:
            backend.log_migration(migration, "apply")
            backend.mark_one(migration, log=False)


@contextmanager
def _one_at_a_time(connection: Connection[Any]) -> Iterator[None]:
    """Holds the database's migration lock; it ends with the session, even a killed one."""
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK_KEY,))
    try:
        yield
    finally:
        if not connection.closed and not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK_KEY,))


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo is not annotated
    """yoyo's log and order, with its file and its mark in one transaction.

    yoyo marks a migration after committing it, so a kill in between leaves a file applied that
    would be applied again; and it locks by a row, which a kill leaves behind.
    """

    connection: Connection[Any]

    def connect(self, dburi: str) -> Connection[Any]:
        connection = psycopg.connect(dburi, autocommit=True, prepare_threshold=None)
        connection.execute(_SESSION_SETTINGS)
        return connection

    def list_tables(self, **_kwargs: object) -> list[str]:
        rows = self.connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        return [row[0] for row in rows]

    @contextmanager
    def lock(self, timeout: float = 10) -> Iterator[None]:  # noqa: ARG002 - yoyo's signature
        yield

    def apply_one(self, migration: Migration, force: bool = False, mark: bool = True) -> None:  # noqa: ARG002 - yoyo's signature
        self.ensure_internal_schema_updated()
        try:
            with self.transaction():
                self.connection.execute(Path(migration.path).read_bytes())
                self.log_migration(migration, "apply")
                self.mark_one(migration, log=False)
        except psycopg.Error as error:
            raise MigrationError(migration.id, error) from error
        logger.info("applied migration %s", migration.id)

    def get_log_data(
        self, migration: Migration | None = None, operation: str = "apply"
    ) -> dict[str, Any]:
        # The base asks the operating system for a login name and a domain name: a container's
        # user has none, and a resolver may take seconds to say so.
        return {
            "id": str(uuid4()),
            "migration_id": migration.id if migration else None,
            "migration_hash": migration.hash if migration else None,
            "username": self.connection.info.user,
            "hostname": gethostname(),
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }
