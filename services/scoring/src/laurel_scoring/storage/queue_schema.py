"""Installs the job queue's tables (procrastinate's) into their own schema, and upgrades them."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from procrastinate.schema import SchemaManager
from psycopg import Connection, sql

QUEUE_SCHEMA: Final = "scoring_jobs"
_ROLE: Final = "laurel_scoring"
_COMMENT = re.compile(r"^procrastinate (\d+(?:\.\d+)*)$")
_MIGRATION = re.compile(r"^(\d+\.\d+\.\d+)_(\d+)_(pre|post)_.*\.sql$")

_Version = tuple[int, ...]


def install_queue_schema(connection: Connection[Any]) -> None:
    """Brings schema `scoring_jobs` to the installed procrastinate's tables; a step of `migrate`.

    Idempotent. Runs inside the caller's transaction and leaves its search_path as it was. The
    schema's comment remembers which version's tables it holds.
    """
    wanted = _parse(version("procrastinate"))
    present = _installed_version(connection)
    if present == wanted:
        return
    path = connection.execute("SHOW search_path").fetchone()
    connection.execute(
        sql.SQL("SET LOCAL search_path = {}, pg_catalog").format(sql.Identifier(QUEUE_SCHEMA))
    )
    if present is None:
        connection.execute(SchemaManager.get_schema())
    else:
        for file in _migrations_after(present, wanted):
            connection.execute(file.read_bytes())
    connection.execute("SELECT set_config('search_path', %s, true)", path)
    _grant(connection)
    connection.execute(
        sql.SQL("COMMENT ON SCHEMA {} IS {}").format(
            sql.Identifier(QUEUE_SCHEMA),
            sql.Literal("procrastinate " + ".".join(map(str, wanted))),
        )
    )


def _installed_version(connection: Connection[Any]) -> _Version | None:
    row = connection.execute(
        "SELECT obj_description(to_regnamespace(%s)::oid, 'pg_namespace')", (QUEUE_SCHEMA,)
    ).fetchone()
    found = _COMMENT.match(row[0]) if row and row[0] else None
    return _parse(found.group(1)) if found else None


def _migrations_after(present: _Version, wanted: _Version) -> list[Path]:
    """procrastinate's upgrade scripts between two versions, in their order."""
    files = []
    for file in Path(SchemaManager.get_migrations_path()).iterdir():
        name = _MIGRATION.match(file.name)
        if name and present < _parse(name.group(1)) <= wanted:
            files.append(((_parse(name.group(1)), int(name.group(2))), file))
    return [file for _, file in sorted(files)]


def _grant(connection: Connection[Any]) -> None:
    """All rights on the queue's rows and functions; the objects stay the migrating user's."""
    schema, role = sql.Identifier(QUEUE_SCHEMA), sql.Identifier(_ROLE)
    for statement in (
        "REVOKE ALL ON ALL ROUTINES IN SCHEMA {schema} FROM PUBLIC",
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        "GRANT EXECUTE ON ALL ROUTINES IN SCHEMA {schema} TO {role}",
    ):
        connection.execute(sql.SQL(statement).format(schema=schema, role=role))


def _parse(text: str) -> _Version:
    return tuple(int(part) for part in text.split(".")[:3])
