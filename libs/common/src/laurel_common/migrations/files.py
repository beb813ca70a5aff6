"""Where the migration files are: in a checkout, in an image, or where the operator says."""

import os
import re
import sys
from pathlib import Path

DIRECTORY_VARIABLE = "LAUREL_MIGRATIONS_DIR"
_FILE_NAME = re.compile(r"^\d{3}_[a-z0-9_]+\.sql$")


class MigrationsNotFoundError(Exception):
    """No folder with migration files at any of the places looked at."""


def migrations_directory(directory: Path | None = None) -> Path:
    """The folder of the migration files.

    An argument or LAUREL_MIGRATIONS_DIR decides where given; else `db/migrations` above this
    package (a checkout) or below the working directory, else `share/laurel/migrations` of the
    environment (an image). Raises MigrationsNotFoundError.
    """
    given = directory or (Path(value) if (value := os.environ.get(DIRECTORY_VARIABLE)) else None)
    candidates = [given] if given else list(_default_places())
    for candidate in candidates:
        if _names(candidate):
            return candidate.resolve()
    places = ", ".join(str(candidate) for candidate in candidates)
    raise MigrationsNotFoundError(
        f"no migration files in {places}; {DIRECTORY_VARIABLE} says where they are"
    )


def migration_names(directory: Path | None = None) -> list[str]:
    """The names of all migrations (file names without `.sql`) in the order of their numbers."""
    return list(_names(migrations_directory(directory)))


def expected_version(directory: Path | None = None) -> str:
    """The name of the newest migration that this code knows."""
    return migration_names(directory)[-1]


def _default_places() -> list[Path]:
    ancestors = [parent / "db" / "migrations" for parent in Path(__file__).resolve().parents]
    return [
        *ancestors,
        Path.cwd() / "db" / "migrations",
        Path(sys.prefix) / "share" / "laurel" / "migrations",
    ]


def _names(directory: Path) -> list[str]:
    if not directory.is_dir():
        return []
    return sorted(path.stem for path in directory.iterdir() if _FILE_NAME.match(path.name))
