"""Brings a whole Laurel up on this machine, and down again in order."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import orjson

from laurel_cli.errors import CommandError
from laurel_cli.rpc.health import until_serving
from laurel_cli.stack.credentials import ensure_credentials
from laurel_cli.stack.layout import OPERATOR, SERVICES, Layout
from laurel_cli.stack.ports import Ports
from laurel_cli.stack.programs import service_programs
from laurel_cli.stack.reaching import reach_cache
from laurel_cli.stack.servers import Servers, open_servers
from laurel_cli.supervision.leftovers import end_leftovers
from laurel_cli.supervision.lock import exclusive
from laurel_cli.supervision.supervisor import Supervision, supervise
from laurel_common.auth.keys import KeyFileError
from laurel_common.auth.trust import TrustFileError
from laurel_embedded import EmbeddedServerError

_MIGRATING = "laurel_cli.stack.migrating"
# The first start ever compiles the scoring engine.
_READY_SECONDS = 120.0
_GRACE_SECONDS = 35.0
_LEFTOVER_SECONDS = 5.0
_WATCH_SECONDS = 1.0

Report = Callable[[str], None]


class StackError(CommandError):
    """Laurel did not come up; the text says what to look at."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What `laurel up` was asked for."""

    root: Path
    ports: Ports
    database_url: str | None = None
    redis_url: str | None = None
    log_level: str = "info"
    # What `laurel certs` made: the services speak mutual TLS then.
    certificates: Path | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """A running Laurel: `ready_after` is how many seconds its start took."""

    layout: Layout
    targets: dict[str, str]
    servers: Servers
    supervision: Supervision
    ready_after: float


@asynccontextmanager
async def running_stack(options: StackOptions, report: Report) -> AsyncIterator[Stack]:
    """A Laurel whose four services serve; stopped at the block's end.

    Entered in the main thread. `report` gets a line for whatever happens meanwhile. Raises
    AlreadyRunningError, StackError, UnreachableError.
    """
    started = time.monotonic()
    layout = Layout(options.root.absolute())
    certificates = _certificates(options)
    layout.make()
    with _told(), exclusive(layout.root):
        for name in await end_leftovers(layout.run, grace_seconds=_LEFTOVER_SECONDS):
            report(f"ended {name}, which an earlier run had left")
        if taken := options.ports.taken():
            ports = ", ".join(map(str, taken))
            raise StackError(f"port {ports} is in use by another program; --ports takes others")
        if options.redis_url is not None:
            await reach_cache(options.redis_url)
        ensure_credentials(layout)
        # Half a second of imports, while PostgreSQL starts.
        loop = asyncio.get_running_loop()
        importing = loop.run_in_executor(None, import_module, _MIGRATING)
        with open_servers(
            layout, database_url=options.database_url, redis_url=options.redis_url
        ) as servers:
            await _migrate(await importing, servers, report)
            programs = service_programs(
                layout,
                servers,
                options.ports,
                log_level=options.log_level,
                certificates=certificates,
            )
            targets = options.ports.targets()
            async with (
                supervise(programs, report=report, grace_seconds=_GRACE_SECONDS) as supervision,
                _watching(servers, report),
            ):
                await _wait_until_ready(layout, targets, supervision, certificates)
                layout.endpoints_file.write_bytes(orjson.dumps(targets))
                try:
                    yield Stack(layout, targets, servers, supervision, time.monotonic() - started)
                finally:
                    layout.endpoints_file.unlink(missing_ok=True)


def _certificates(options: StackOptions) -> Path | None:
    """The directory of certificates, which has all of them."""
    if options.certificates is None:
        return None
    directory = options.certificates.absolute()
    names = ["ca.pem", *(f"{name}.pem" for name in (*SERVICES, OPERATOR))]
    if missing := [name for name in names if not (directory / name).exists()]:
        raise StackError(f"{directory} has no {missing[0]}: `laurel certs {directory}` makes it")
    return directory


@contextmanager
def _told() -> Iterator[None]:
    """Tells what goes wrong in the block's parts as a StackError."""
    try:
        yield
    except (EmbeddedServerError, KeyFileError, TrustFileError) as error:
        raise StackError(str(error)) from error


async def _migrate(migrating: ModuleType, servers: Servers, report: Report) -> None:
    done = await asyncio.to_thread(
        migrating.migrate_database, servers.admin_url, servers.role_passwords
    )
    for name in done.applied:
        report(f"applied migration {name}")


async def _wait_until_ready(
    layout: Layout, targets: dict[str, str], supervision: Supervision, certificates: Path | None
) -> None:
    """Raises StackError for a service that can't start, or takes too long."""
    ca_file = own = None
    if certificates is not None:
        ca_file = certificates / "ca.pem"
        own = certificates / f"{OPERATOR}.pem", certificates / f"{OPERATOR}.key"
    waiting = asyncio.create_task(
        until_serving(targets, seconds=_READY_SECONDS, ca_file=ca_file, own=own)
    )
    try:
        while not (await asyncio.wait({waiting}, timeout=_WATCH_SECONDS))[0]:
            for name, keeper in supervision.keepers.items():
                if keeper.hopeless:
                    raise StackError(f"{name} can't start; its log ends:\n{_tail(layout, name)}")
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    if late := waiting.result():
        states = ", ".join(f"{name} is {state}" for name, state in late.items())
        raise StackError(f"{states} after {_READY_SECONDS:g} s; see {layout.logs}")


def _tail(layout: Layout, name: str) -> str:
    text = (layout.logs / f"{name}.log").read_text(errors="replace")
    return "\n".join(text.splitlines()[-5:])


@asynccontextmanager
async def _watching(servers: Servers, report: Report) -> AsyncIterator[None]:
    """Looks after the embedded servers while the block runs."""

    async def watch() -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            try:
                servers.revive(report)
            except EmbeddedServerError as error:
                report(str(error))

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
