"""An embedded Valkey: loopback only, a password, a cache that forgets the least used first."""

import os
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

from redis import Redis
from redis.exceptions import RedisError

from . import process
from .binaries import valkey_binary
from .errors import EmbeddedServerError, StartFailed
from .secrets_file import SecretsFile

_START_SECONDS: Final = 15.0
_START_ATTEMPTS: Final = 3
_TERMINATE: Final = ((signal.SIGTERM, 5.0),)


class EmbeddedValkey:
    """A Valkey server of one's own on `data_dir`; it keeps nothing over a restart.

    `port=None` takes the last one again, or any that is free. `die_with_parent` as for
    EmbeddedPostgres.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        port: int | None = None,
        max_memory: str = "256mb",
        databases: int = 16,
        die_with_parent: bool = False,
    ) -> None:
        self.directory = Path(data_dir).absolute()
        self.log = self.directory / "valkey.log"
        self._wanted_port = port
        self._max_memory = max_memory
        self._databases = databases
        self._death_signal = signal.SIGTERM if die_with_parent else 0
        self._config = self.directory / "valkey.conf"
        self._pid_file = self.directory / "valkey.pid"
        self._last = self.directory / "port"
        self._secrets = SecretsFile(self.directory / "passwords.json")
        self._lock = process.DirectoryLock(self.directory / "lock")
        self._server: subprocess.Popen[bytes] | None = None
        self._port: int | None = None

    def start(self) -> Self:
        """Starts the server; one that a crashed owner left on this directory is ended first.

        Raises AlreadyRunning, StartFailed, EmbeddedServerError.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            self._end_leftover()
            self._start_server()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Ends the server. Does nothing twice."""
        if self._server is not None:
            process.end(self._server, _TERMINATE)
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
        if self._port is None:
            raise EmbeddedServerError("Valkey has not been started")
        return self._port

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._server.pid if self._server is not None and self.running else None

    def url(self, database: int = 0) -> str:
        """The redis:// URL of a numbered database of the running server."""
        password = quote(self._secrets.password("default"), safe="")
        return f"redis://:{password}@127.0.0.1:{self.port}/{database}"

    def _end_leftover(self) -> None:
        if (pid := process.read_number(self._pid_file)) is not None:
            process.end_leftover(pid, str(self._config), _TERMINATE)
        self._pid_file.unlink(missing_ok=True)

    def _start_server(self) -> None:
        for attempt in range(1, _START_ATTEMPTS + 1):
            self._port = self._wanted_port or process.free_port(process.read_number(self._last))
            self._write_config()
            # The configuration by its path: it is what tells our server from a stranger's.
            command = [str(valkey_binary()), str(self._config)]
            words = process.launcher(None, self._death_signal)
            self._server = process.spawn([*words, *command], log=self.log, cwd=self.directory)
            self._pid_file.write_text(str(self._server.pid))
            if self._answers():
                self._last.write_text(str(self._port))
                return
            process.end(self._server, _TERMINATE)
            time.sleep(0.2 * attempt)
        raise StartFailed(f"Valkey did not start; {self.log} ends:\n{process.tail(self.log)}")

    def _write_config(self) -> None:
        lines = {
            "bind": "127.0.0.1",
            "port": str(self._port),
            "requirepass": self._secrets.password("default"),
            "databases": str(self._databases),
            "maxmemory": self._max_memory,
            "maxmemory-policy": "allkeys-lru",
            "save": '""',
            "appendonly": "no",
            "daemonize": "no",
            # Its command line is what tells it from a stranger: it must not write over it.
            "set-proc-title": "no",
        }
        descriptor = os.open(self._config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as output:
            output.writelines(f"{name} {value}\n" for name, value in lines.items())

    def _answers(self) -> bool:
        """Waits until the server answers; False where it ended instead."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.running:
            try:
                with Redis.from_url(self.url(), socket_timeout=0.5) as client:
                    if client.ping():
                        return self.running
            except RedisError:
                time.sleep(0.02)
        return False
