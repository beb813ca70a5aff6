"""One supervisor at a time on a data directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from laurel_cli.errors import CommandError


class AlreadyRunningError(CommandError):
    """Another process holds the directory; `holder` is its id as far as it is known."""

    def __init__(self, directory: Path, holder: str) -> None:
        self.holder = holder
        super().__init__(f"{directory} is in use by process {holder or 'unknown'}")


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Holds `directory` while the block runs; the kernel lets go of it whatever happens to us."""
    with (directory / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunningError(directory, file.read().strip()) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)
