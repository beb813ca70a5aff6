"""Which migrations a database has had, for whoever asks before serving."""

from pathlib import Path
from typing import Any, Final

from psycopg import Connection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from .files import migration_names

LOG_TABLE: Final = "_yoyo_migration"
_EXISTS: Final = "SELECT to_regclass('public._yoyo_migration') IS NOT NULL"
_APPLIED: Final = "SELECT migration_id FROM public._yoyo_migration ORDER BY migration_id"


def current_version(connection: Connection[Any]) -> str | None:
    """The newest migration of the database, None where none was ever run."""
    if not connection.execute(_EXISTS).fetchone()[0]:  # type: ignore[index]  # always one row
        return None
    rows = connection.execute(_APPLIED).fetchall()
    return str(rows[-1][0]) if rows else None


async def applied_migrations(connection: AsyncConnection) -> list[str]:
    """The names of the migrations that the database has had, in order."""
    if not (await connection.execute(text(_EXISTS))).scalar_one():
        return []
    return [str(name) for name in (await connection.execute(text(_APPLIED))).scalars()]


async def schema_version(connection: AsyncConnection) -> str | None:
    """The newest migration of the database, None where none was ever run."""
    applied = await applied_migrations(connection)
    return applied[-1] if applied else None


async def missing_migrations(
    connection: AsyncConnection, directory: Path | None = None
) -> list[str]:
    """Migrations that this code counts on and the database has not had.

    Empty on a database that is newer than the code: migrations only go forward, and a rolling
    deployment migrates first.
    """
    applied = set(await applied_migrations(connection))
    return [name for name in migration_names(directory) if name not in applied]
