"""What the embedded servers have in common: a directory, a lock on it, a process and its end."""

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from . import process
from .errors import EmbeddedServerError
from .secrets_file import SecretsFile


class EmbeddedServer(ABC):
    """A server on a directory of its own.

    Start it from a thread that lives as long as the server is wanted.
    """

    title: ClassVar[str]
    # Each signal that ends it, with the seconds that it is given to take effect.
    ends: ClassVar[Sequence[tuple[int, float]]]

    def __init__(self, data_dir: Path | str, *, log: str, port: int | None) -> None:
        self.directory = Path(data_dir).absolute()
        self.log = self.directory / log
        self._wanted_port = port
        self._last = self.directory / "port"
        self._secrets = SecretsFile(self.directory / "passwords.json")
        self._lock = process.DirectoryLock(self.directory / "lock")
        self._server: subprocess.Popen[bytes] | None = None
        self._port: int | None = None

    @abstractmethod
    def _bring_up(self) -> None:
        """Ends what a crashed owner left on the directory, then starts the server; it answers."""

    def start(self) -> Self:
        """Starts the server; one that a crashed owner left on this directory is ended first.

        Raises AlreadyRunning, StartFailed, EmbeddedServerError.
        """
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o755)
        self._lock.acquire()
        try:
            self._bring_up()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Ends the server in good order; open connections are cut. Does nothing twice."""
        if self._server is not None:
            process.end(self._server, self.ends)
            self._server = None
        self._lock.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the server process that we started is alive."""
        return self._server is not None and self._server.poll() is None

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        if self._port is None:
            raise EmbeddedServerError(f"{self.title} has not been started")
        return self._port

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._server.pid if self._server is not None and self.running else None
