"""An embedded Valkey: loopback only, a password, a cache that forgets the least used first."""

import os
import signal
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

from redis import Redis
from redis.exceptions import RedisError

from . import process
from .binaries import valkey_binary
from .errors import StartFailed
from .server import EmbeddedServer

_START_SECONDS: Final = 15.0
_START_ATTEMPTS: Final = 3


class EmbeddedValkey(EmbeddedServer):
    """A Valkey server of one's own on `data_dir`; it keeps nothing over a restart.

    `port=None` takes the last one again, or any that is free. `die_with_parent` as for
    EmbeddedPostgres.
    """

    title = "Valkey"
    ends = ((signal.SIGTERM, 5.0),)

    def __init__(
        self,
        data_dir: Path | str,
        *,
        port: int | None = None,
        max_memory: str = "256mb",
        databases: int = 16,
        die_with_parent: bool = False,
    ) -> None:
        super().__init__(data_dir, log="valkey.log", port=port)
        self._max_memory = max_memory
        self._databases = databases
        self._death_signal = signal.SIGTERM if die_with_parent else 0
        self._config = self.directory / "valkey.conf"
        self._pid_file = self.directory / "valkey.pid"

    def _bring_up(self) -> None:
        self._end_leftover()
        self._start_server()

    def url(self, database: int = 0) -> str:
        """The redis:// URL of a numbered database of the running server."""
        password = quote(self._secrets.password("default"), safe="")
        return f"redis://:{password}@127.0.0.1:{self.port}/{database}"

    def _end_leftover(self) -> None:
        if (pid := process.read_number(self._pid_file)) is not None:
            process.end_leftover(pid, str(self._config), self.ends)
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
            process.end(self._server, self.ends)
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
