"""The `database` fixtures: a migrated PostgreSQL database of one's own, a login per service."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection, sql

from tests.support.endpoints import Endpoints
from tests.support.sources import choose_sources
from tests.support.urls import as_role, with_database, with_login

RUN_DIRECTORY_VARIABLE = "PYTEST_LAUREL_RUN_DIRECTORY"
RUNNER_VARIABLE = "PYTEST_LAUREL_RUNNER"
_START_SECONDS = 120.0
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Database:
    """One database: `url()` is its owner's, `url("laurel_ingest")` a service's."""

    name: str
    endpoints: Endpoints

    def url(self, role: str | None = None) -> str:
        """A postgresql:// URL (psycopg, ADBC, `laurel_common.db.create_engine`)."""
        url = with_database(self.endpoints.admin_url, self.name)
        if role is None:
            return url
        if password := self.endpoints.passwords.get(role):
            return with_login(url, role, password)
        return as_role(url, role)

    def connect(self, role: str | None = None, *, autocommit: bool = True) -> Connection[Any]:
        """A connection of psycopg's; close it, or use it as a context manager."""
        return psycopg.connect(self.url(role), autocommit=autocommit)


@pytest.fixture(scope="session")
def postgres_endpoints() -> Endpoints:
    """The run's PostgreSQL, started by whichever worker asks first."""
    return _endpoints(Path(os.environ[RUN_DIRECTORY_VARIABLE]))


@pytest.fixture
def database(postgres_endpoints: Endpoints) -> Iterator[Database]:
    """A fresh copy of the migrated template, dropped after the test."""
    with cloned_database(postgres_endpoints) as copy:
        yield copy


@pytest.fixture(scope="module")
def module_database(postgres_endpoints: Endpoints) -> Iterator[Database]:
    """Like `database`, but shared by a module's tests, which must not stand in each other's way."""
    with cloned_database(postgres_endpoints) as copy:
        yield copy


@pytest.fixture
def empty_database(postgres_endpoints: Endpoints) -> Iterator[Database]:
    """A database without any of our tables, for tests of the migrations themselves."""
    with cloned_database(postgres_endpoints, template="template0") as copy:
        yield copy


@contextmanager
def cloned_database(endpoints: Endpoints, template: str | None = None) -> Iterator[Database]:
    """Makes a database from the template and drops it at the end, whoever is connected."""
    name = f"{endpoints.template}_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(endpoints.admin_url, autocommit=True) as admin:
        admin.execute(
            # Half the time of the default way, which logs every page.
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template or endpoints.template)
            )
        )
    try:
        yield Database(name, endpoints)
    finally:
        with psycopg.connect(endpoints.admin_url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def stop_keeper(run_directory: Path) -> None:
    """Ends the run's PostgreSQL, if any test started it, and waits for its end."""
    try:
        pid = int((run_directory / "keeper.pid").read_text())
        os.kill(pid, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError):
        return
    deadline = time.monotonic() + 30
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)


def _endpoints(run_directory: Path) -> Endpoints:
    published = run_directory / "endpoints.json"
    with _locked(run_directory / "keeper.lock"):
        if not published.exists():
            _start_keeper(run_directory)
    return Endpoints(**json.loads(published.read_text()))


def _start_keeper(run_directory: Path) -> None:
    log = run_directory / "keeper.log"
    command = [sys.executable, "-m", "tests.support.keeper", str(run_directory)]
    with log.open("wb") as output:
        keeper = subprocess.Popen(
            [*command, os.environ[RUNNER_VARIABLE], choose_sources().database],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=Path(__file__).parents[2],
        )
    (run_directory / "keeper.pid").write_text(str(keeper.pid))
    deadline = time.monotonic() + _START_SECONDS
    while not (run_directory / "endpoints.json").exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            keeper.kill()
            raise RuntimeError(f"the tests' PostgreSQL did not start:\n{log.read_text()}")
        time.sleep(0.02)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _alive(pid: int) -> bool:
    # Where the keeper is our own child, this takes it off the process table.
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
