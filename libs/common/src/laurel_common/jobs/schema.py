"""Installs the job queue's tables (procrastinate's) in their own schema, and upgrades them."""

import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from procrastinate.schema import SchemaManager
from psycopg import Connection, sql

_COMMENT: Final = re.compile(r"^procrastinate (\d+(?:\.\d+)*)$")
_MIGRATION: Final = re.compile(r"^(\d+\.\d+\.\d+)_(\d+)_(pre|post)_.*\.sql$")

_Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class JobSchema:
    """A schema, made by a migration, that holds the queues of one role alone."""

    name: str
    role: str

    def install(self, connection: Connection[Any]) -> None:
        """Brings the schema to the installed procrastinate's tables; a step of `migrate`.

        Idempotent. Runs inside the caller's transaction and leaves its search_path as it was. The
        schema's comment remembers which version's tables it holds.
        """
        wanted = _parse(version("procrastinate"))
        present = self._installed_version(connection)
        if present == wanted:
            return
        path = connection.execute("SHOW search_path").fetchone()
        connection.execute(
            sql.SQL("SET LOCAL search_path = {}, pg_catalog").format(sql.Identifier(self.name))
        )
        if present is None:
            connection.execute(SchemaManager.get_schema())
        else:
            for file in _migrations_after(present, wanted):
                connection.execute(file.read_bytes())
        connection.execute("SELECT set_config('search_path', %s, true)", path)
        self._grant(connection)
        connection.execute(
            sql.SQL("COMMENT ON SCHEMA {} IS {}").format(
                sql.Identifier(self.name),
                sql.Literal("procrastinate " + ".".join(map(str, wanted))),
            )
        )

    def _installed_version(self, connection: Connection[Any]) -> _Version | None:
        row = connection.execute(
            "SELECT obj_description(to_regnamespace(%s)::oid, 'pg_namespace')", (self.name,)
        ).fetchone()
        found = _COMMENT.match(row[0]) if row and row[0] else None
        return _parse(found.group(1)) if found else None

    def _grant(self, connection: Connection[Any]) -> None:
        """All rights on the queue's rows and functions; the objects stay the migrating user's."""
        schema, role = sql.Identifier(self.name), sql.Identifier(self.role)
        for statement in (
            "REVOKE ALL ON ALL ROUTINES IN SCHEMA {schema} FROM PUBLIC",
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
            "GRANT EXECUTE ON ALL ROUTINES IN SCHEMA {schema} TO {role}",
        ):
            connection.execute(sql.SQL(statement).format(schema=schema, role=role))


def _migrations_after(present: _Version, wanted: _Version) -> list[Path]:
    """procrastinate's upgrade scripts between two versions, in their order."""
    files = []
    for file in Path(SchemaManager.get_migrations_path()).iterdir():
        name = _MIGRATION.match(file.name)
        if name and present < _parse(name.group(1)) <= wanted:
            files.append(((_parse(name.group(1)), int(name.group(2))), file))
    return [file for _, file in sorted(files)]


def _parse(text: str) -> _Version:
    return tuple(int(part) for part in text.split(".")[:3])
