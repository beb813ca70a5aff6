"""Server processes: starting them, ending them, and dealing with those that a crash left."""

import fcntl
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Self

from .errors import AlreadyRunning, EmbeddedServerError

_LAUNCHER = Path(__file__).with_name("launch.py")
_POLL_SECONDS = 0.02
_LOG_BYTES = 16 * 1024 * 1024
# Below what Linux (32768 and up) and macOS (49152) give to whoever asks for just any port.
_PORTS = range(31_000, 32_768)
# Debian's packages make the first; the second is everywhere.
_UNPRIVILEGED_USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user to run a server as."""

    uid: int
    gid: int

    @classmethod
    def unprivileged(cls) -> Self | None:
        """Whom a server that refuses root runs as; None where we are not root ourselves."""
        if os.geteuid() != 0:
            return None
        for name in _UNPRIVILEGED_USERS:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_uid, entry.pw_gid)
        raise EmbeddedServerError(
            "PostgreSQL refuses to run as root, and there is no user nobody to run it as"
        )


def launcher(account: Account | None, death_signal: int = 0) -> list[str]:
    """The words to put before a command line so that it runs as `account`.

    With a death signal the server gets it when the thread that started it ends (Linux).
    """
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    words = [sys.executable, "-I", "-S", str(_LAUNCHER)]
    return [*words, str(uid), str(gid), str(death_signal), str(os.getpid())]


def spawn(command: Sequence[str], *, log: Path, cwd: Path) -> subprocess.Popen[bytes]:
    """Starts a server in a session of its own: a Ctrl-C in the terminal is ours to pass on."""
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - the command is built from our own paths
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=cwd,
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes], signals: Sequence[tuple[int, float]]) -> None:
    """Ends our own server: each signal with the seconds that it is given to take effect."""
    for number, seconds in signals:
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    process.wait()


def end_leftover(pid: int, marker: str, signals: Sequence[tuple[int, float]]) -> bool:
    """Ends a server that a crashed owner left, if `pid` still is it.

    `marker` must stand in its command line: process ids are used again. Returns whether a server
    was there.
    """
    if marker not in command_line(pid):
        return False
    for number, seconds in [*signals, (signal.SIGKILL, 5.0)]:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if marker not in command_line(pid):
                return True
            time.sleep(_POLL_SECONDS)
    raise EmbeddedServerError(f"process {pid}, left by an earlier run, can't be ended")


def command_line(pid: int) -> str:
    """The command line of a living process, empty where there is none."""
    if pid <= 0:
        return ""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, UnicodeDecodeError):
            return ""
    listing = subprocess.run(  # noqa: S603 - ps with a number
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout.strip()


def free_port(preferred: int | None = None) -> int:
    """A free TCP port on loopback: the preferred one if nobody has it.

    None that the system gives out itself, as long as there are others: a server that is started
    again after a crash has to find its port as it left it.
    """
    for port in (preferred, *SystemRandom().sample(_PORTS, len(_PORTS))):
        if port and _bindable(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def read_number(file: Path) -> int | None:
    """The number on a file's first line; None where there is no such file or number."""
    try:
        return int(file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def tail(log: Path, lines: int = 20) -> str:
    """The end of a log, for an error's text."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


class DirectoryLock:
    """Says whose a data directory is. The system lets go of it when its holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> None:
        """Raises AlreadyRunning where another process, or another object of ours, has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise AlreadyRunning(f"another process runs a server in {self._path.parent}") from None
        self._file = descriptor

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
