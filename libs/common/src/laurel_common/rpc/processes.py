"""Several processes of a service on one port, kept running by a parent that does nothing else.

Each is a program of its own: nothing of gRPC, engines or Redis survives a fork. The kernel
(SO_REUSEPORT) spreads connections, and max_connection_age has clients make new ones.
"""

import asyncio
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

import structlog

from laurel_common.config import ConfigError, ServiceSettings

# Of connections, where the settings name none.
CONNECTION_AGE_SECONDS = 300
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
# A process that ran this long was well: its next death is a first one again.
WELL_SECONDS = 30.0
EXIT_CONFIG = 78  # EX_CONFIG of sysexits.h
_PR_SET_PDEATHSIG = 1

log = structlog.get_logger(__name__)


async def share_port(settings: ServiceSettings) -> int:
    """Runs this very program `processes` times until SIGTERM or SIGINT; the exit code.

    A process that dies is started again, after a pause that grows; one that can't use its
    settings ends all. Raises ConfigError where the port can't be shared.
    """
    _require_port(settings.listen)
    wanted = asyncio.Event()
    loop = asyncio.get_running_loop()
    keepers = [_Keeper(number, settings, wanted) for number in range(settings.processes)]

    def on_signal() -> None:
        wanted.set()
        for keeper in keepers:
            keeper.end()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    codes = await asyncio.gather(*(keeper.keep(on_signal) for keeper in keepers))
    return max(codes)


class _Keeper:
    """Keeps one of the processes running."""

    def __init__(self, number: int, settings: ServiceSettings, wanted: asyncio.Event) -> None:
        self._environ = os.environ | variables_of(number, settings)
        self._wanted = wanted
        self._process: asyncio.subprocess.Process | None = None

    async def keep(self, end_all: Callable[[], None]) -> int:
        """Starts it as often as it dies, until the end is wanted; its last exit code."""
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE_SECONDS
        while not self._wanted.is_set():
            started = loop.time()
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *sys.orig_argv[1:],
                env=self._environ,
                preexec_fn=_die_with(os.getpid()),
            )
            if self._wanted.is_set():
                self.end()
            code = await self._process.wait()
            if self._wanted.is_set():
                return max(code, 0)
            if code == EXIT_CONFIG:
                end_all()
                return code
            if loop.time() - started >= WELL_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            log.warning("process_died", exit_code=code, again_in_seconds=pause)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wanted.wait()
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return 0

    def end(self) -> None:
        """Asks it to end; asked again, it hurries."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()


def variables_of(number: int, settings: ServiceSettings) -> dict[str, str]:
    """What process `number` is told that the others, or the parent, are not."""
    variables = {"LAUREL_PROCESSES": "1", "LAUREL_REUSE_PORT": "true"}
    if settings.max_connection_age_seconds is None:
        variables["LAUREL_MAX_CONNECTION_AGE_SECONDS"] = str(CONNECTION_AGE_SECONDS)
    if settings.metrics_listen is not None:
        host, _, port = settings.metrics_listen.rpartition(":")
        variables["LAUREL_METRICS_LISTEN"] = f"{host}:{int(port) + number if int(port) else 0}"
    return variables


def _require_port(listen: str) -> None:
    """Raises ConfigError unless the port is a certain one and nobody else's: with SO_REUSEPORT a
    second Laurel would bind it in silence.
    """
    host, _, port = listen.rpartition(":")
    if port == "0":
        raise ConfigError(["LAUREL_LISTEN: several processes share a port that is named"])
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        for family, kind, protocol, _name, address in found:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except OSError as error:
        problem = f"LAUREL_LISTEN: {listen} can't be bound: {error.strerror}"
        raise ConfigError([problem]) from None


def _die_with(parent: int) -> Callable[[], None] | None:
    """Has the kernel end the process when its parent dies, however that dies (Linux)."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return tie
