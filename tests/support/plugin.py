"""The life of a test run's servers, over all of its workers."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.support.database import (
    RUN_DIRECTORY_VARIABLE,
    RUNNER_VARIABLE,
    database,
    empty_database,
    module_database,
    postgres_endpoints,
    stop_keeper,
)
from tests.support.logs import plain_logs
from tests.support.sources import choose_sources
from tests.support.valkey import module_redis_url, redis_server_url, redis_url

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of the run's own is made in it
_ROOM_BYTES = 4 * 2**30

__all__ = [
    "database",
    "empty_database",
    "module_database",
    "module_redis_url",
    "postgres_endpoints",
    "redis_server_url",
    "redis_url",
    "worker_number",
]


@pytest.fixture(scope="session")
def worker_number() -> int:
    """0 for the first worker, or for a run without workers."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def pytest_configure(config: pytest.Config) -> None:
    plain_logs()
    if _is_worker(config):
        return
    # Workers inherit these; they start after this hook.
    os.environ[RUN_DIRECTORY_VARIABLE] = tempfile.mkdtemp(prefix="laurel-tests-", dir=_memory())
    os.environ[RUNNER_VARIABLE] = str(os.getpid())


def pytest_unconfigure(config: pytest.Config) -> None:
    if _is_worker(config):
        return
    if directory := os.environ.pop(RUN_DIRECTORY_VARIABLE, None):
        stop_keeper(Path(directory))
        shutil.rmtree(directory, ignore_errors=True)


def pytest_report_header() -> str:
    return choose_sources().headline()


def _memory() -> Path | None:
    """A file system in memory, where there is one with room: each test's database is a copy of
    some 700 files, which costs a disk's file system ten times as much.
    """
    if _SHARED_MEMORY.is_dir() and os.access(_SHARED_MEMORY, os.W_OK):
        return _SHARED_MEMORY if shutil.disk_usage(_SHARED_MEMORY).free >= _ROOM_BYTES else None
    return None


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")
