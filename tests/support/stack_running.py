"""A whole Laurel for tests: four supervised processes over a database of the test run's server."""

import asyncio
import fcntl
import os
import random
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from laurel_cli.rpc.caller import Caller, tokens_of
from laurel_cli.rpc.health import until_serving
from laurel_cli.rpc.where import Where
from laurel_cli.stack.credentials import ROSTER
from laurel_cli.stack.layout import OPERATOR, SERVICES, Layout, role_of, write_secret
from laurel_cli.stack.ports import Ports
from laurel_cli.stack.stack import Stack, StackOptions, running_stack
from laurel_common.auth.keys import load_private_key
from laurel_common.auth.tokens import Tokens, TokenSource
from tests.support.database import RUN_DIRECTORY_VARIABLE, Database
from tests.support.secrecy import check_logs

# Below the ports that the system gives to outgoing connections: a service that is killed must
# find its port free when it is back.
_FIRST_PORT, _LAST_PORT = 21_000, 31_000
# A lock for each block of them, held while a stack runs: other checkouts' runs look there too.
_LOCKS = Path(tempfile.gettempdir()) / f"laurel-test-ports-{os.getuid()}"
_POLL_SECONDS = 0.02


@dataclass(slots=True)
class Laurel:
    """A running stack, the operator who calls it, and the key that puts teams in."""

    stack: Stack
    database_url: str
    reports: list[str] = field(default_factory=list)
    # Where the services speak mutual TLS: what `laurel certs` made.
    certificates: Path | None = None

    @property
    def caller(self) -> Caller:
        """Calls with the operator's key."""
        return self.calling_with(tokens_of(self._where))

    def calling_with(self, tokens: Tokens) -> Caller:
        """Calls with any tokens; shows the operator's certificate where one is asked for."""
        certificates = self.certificates
        if certificates is None:
            return Caller(self.stack.targets, tokens)
        own = certificates / f"{OPERATOR}.pem", certificates / f"{OPERATOR}.key"
        return Caller(self.stack.targets, tokens, ca_file=certificates / "ca.pem", own=own)

    @property
    def roster(self) -> Caller:
        """Calls as the service that may put people and teams in."""
        return self.service(ROSTER)

    def service(self, name: str) -> Caller:
        """Calls with the key of one of the services."""
        return self.calling_with(TokenSource(name, load_private_key(self.stack.layout.key(name))))

    @property
    def _where(self) -> Where:
        endpoints = tuple(f"{name}={target}" for name, target in self.stack.targets.items())
        return Where(data=self.stack.layout.root, endpoints=endpoints)

    def pid(self, service: str) -> int | None:
        """The process of a service while it runs."""
        return self.stack.supervision.keepers[service].pid

    def starts(self, service: str) -> int:
        """How often a service was started so far."""
        return self.stack.supervision.keepers[service].starts

    def kill(self, service: str) -> None:
        """SIGKILL: no handler, no goodbye."""
        pid = self.pid(service)
        assert pid is not None, f"{service} does not run"
        os.kill(pid, signal.SIGKILL)

    async def until_back(self, service: str, *, after: int, seconds: float = 60) -> None:
        """Waits until a service that had been started `after` times has been again, and serves."""
        await until(lambda: self.starts(service) > after, f"{service} started again", seconds)
        late = await until_serving({service: self.stack.targets[service]}, seconds=seconds)
        assert not late, late

    def connect(self) -> psycopg.Connection[Any]:
        """The database as its owner sees it."""
        return psycopg.connect(self.database_url, autocommit=True)

    def log_of(self, service: str) -> str:
        """What a service has printed."""
        return (self.stack.layout.logs / f"{service}.log").read_text(errors="replace")


@asynccontextmanager
async def running_laurel(
    root: Path,
    *,
    database: Database | None = None,
    redis_url: str | None = None,
    log_level: str = "info",
    certificates: Path | None = None,
) -> AsyncIterator[Laurel]:
    """Brings Laurel up below `root`; over servers of its own where none are given. In the end its
    logs are looked through for secrets.
    """
    layout = Layout(root)
    layout.make()
    if database is not None:
        # Roles belong to the server, which the run's other tests log in to as well.
        for name in SERVICES:
            role = role_of(name)
            known = database.endpoints.passwords.get(role, f"{role}-password")
            write_secret(layout.secrets / role, known)
    reports: list[str] = []
    with reserved_ports() as ports:
        options = StackOptions(
            root,
            ports,
            database_url=None if database is None else database.url(),
            redis_url=redis_url,
            log_level=log_level,
            certificates=certificates,
        )
        context = running_stack(options, reports.append)
        with _one_at_a_time():
            stack = await context.__aenter__()
        try:
            yield Laurel(stack, stack.servers.admin_url, reports, certificates)
        finally:
            await context.__aexit__(None, None, None)
    check_logs(layout, "\n".join(reports))


async def until(
    condition: Callable[[], object] | Callable[[], Awaitable[object]],
    what: str,
    seconds: float = 30,
) -> None:
    """Waits until `condition` holds; fails the test with `what` where it does not in time."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                met = condition()
                if isinstance(met, Awaitable):
                    met = await met
                if met:
                    return
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what}") from None


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Stacks of several workers set the same roles' passwords, and share two cores."""
    with (Path(os.environ[RUN_DIRECTORY_VARIABLE]) / "stack.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def reserved_ports() -> Iterator[Ports]:
    """A block of ports that no other stack of this machine's test runs has, whoever's they are."""
    _LOCKS.mkdir(exist_ok=True)
    span = 2 * len(SERVICES)
    starts = list(range(_FIRST_PORT, _LAST_PORT, span))
    random.shuffle(starts)
    for start in starts:
        numbers = list(range(start, start + span))
        with (_LOCKS / f"{start}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if all(map(_is_free, numbers)):
                yield Ports.parse(",".join(map(str, numbers)))
                return
    raise RuntimeError(f"no free ports between {_FIRST_PORT} and {_LAST_PORT}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
