"""A process that owns the test run's PostgreSQL: started by the first test that needs it, shared
by all workers, gone with the run however that ends.

`python -m tests.support.keeper DIRECTORY RUNNER_PID SOURCE`: starts the server, migrates the
template, writes endpoints.json, then waits until it is told to stop or the runner is gone.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from threading import Event
from types import FrameType

import psycopg
from psycopg import sql

from laurel_cli.stack.migrating import AFTER_MIGRATIONS
from laurel_common.migrations import migrate, set_role_passwords
from laurel_embedded import EmbeddedPostgres
from tests.support.endpoints import Endpoints
from tests.support.sources import DATABASE_VARIABLE, Source, postgres_binaries
from tests.support.urls import with_database

ROLES = ("laurel_identity", "laurel_ingest", "laurel_scoring", "laurel_leaderboard")
_RUNNER_CHECK_SECONDS = 0.5
# Tests lock partitions by the hundred and hold many pools at once. The log that nobody will
# recover from must not fill the memory that it may lie in.
_SETTINGS = {"shared_buffers": "128MB", "max_connections": "300", "max_wal_size": "512MB"}


def main() -> None:
    directory, runner, source = Path(sys.argv[1]), int(sys.argv[2]), Source(sys.argv[3])
    stop = Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    try:
        with _server(source, directory) as (admin_url, owned):
            endpoints = _prepare(admin_url, owned=owned)
            _publish(directory / "endpoints.json", json.dumps(asdict(endpoints)))
            while not stop.wait(_RUNNER_CHECK_SECONDS) and _alive(runner):
                pass
            _drop_databases(endpoints)
        if not _alive(runner):  # a living one removes it itself
            shutil.rmtree(directory, ignore_errors=True)
    except Exception:  # whoever waits for us is told what went wrong
        _publish(directory / "failure.txt", traceback.format_exc())
        raise


@contextlib.contextmanager
def _server(source: Source, directory: Path) -> Iterator[tuple[str, bool]]:
    """Yields the admin URL and whether the server is ours."""
    if source is Source.GIVEN:
        yield os.environ[DATABASE_VARIABLE], False
    elif source is Source.CONTAINERS:
        from testcontainers.postgres import PostgresContainer  # noqa: PLC0415 - only where asked

        with PostgresContainer("postgres:18", driver=None) as container:
            yield container.get_connection_url(), True
    else:
        server = EmbeddedPostgres(
            directory / "postgres",
            durable=False,
            die_with_parent=True,
            settings=_SETTINGS,
            binaries=postgres_binaries(),
        )
        with server:
            yield server.url(database="postgres"), True


def _prepare(admin_url: str, *, owned: bool) -> Endpoints:
    """Migrates the template that every test database is a copy of."""
    template = f"laurel_test_{os.getpid()}"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(template)))
    migrate(with_database(admin_url, template), after=AFTER_MIGRATIONS)
    passwords: dict[str, str] = {}
    if owned:
        passwords = {role: f"{role}-password" for role in ROLES}
        set_role_passwords(admin_url, passwords)
    return Endpoints(admin_url, template, passwords)


def _drop_databases(endpoints: Endpoints) -> None:
    """Leaves a given server as it was: the template and whatever copies a killed test left."""
    with psycopg.connect(endpoints.admin_url, autocommit=True) as connection:
        names = connection.execute(
            "SELECT datname FROM pg_database"
            " WHERE datname = %(name)s OR starts_with(datname, %(copy)s)",
            {"name": endpoints.template, "copy": endpoints.template + "_"},
        ).fetchall()
        for (name,) in names:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


def _publish(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
