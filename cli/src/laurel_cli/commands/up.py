"""`laurel up`: PostgreSQL, Valkey and the four services, until Ctrl-C."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich import box
from rich.table import Table

from laurel_cli.errors import UsageError
from laurel_cli.options import Data, parse_url
from laurel_cli.rpc.lookups import parse_word
from laurel_cli.running import console, remark, run
from laurel_cli.stack.ports import Ports
from laurel_cli.stack.stack import Stack, StackOptions, running_stack
from laurel_cli.stack.variables import unknown
from laurel_common.addresses import check_database_url, check_redis_url
from laurel_common.config import ServiceSettings

LOG_LEVELS = get_args(ServiceSettings.model_fields["log_level"].annotation)


def up(
    *,
    data: Data = Path(".laurel"),
    database_url: Annotated[
        str | None,
        typer.Option(
            envvar="LAUREL_DATABASE_URL",
            help="A PostgreSQL of your own, as the owner of the schema; else an embedded one.",
        ),
    ] = None,
    redis_url: Annotated[
        str | None,
        typer.Option(
            envvar="LAUREL_REDIS_URL",
            help="A Redis or Valkey of your own; else an embedded one.",
        ),
    ] = None,
    ports: Annotated[
        str,
        typer.Option(
            help="Ports of identity, ingest, scoring and leaderboard, four more for metrics; "
            '"any" takes free ones.'
        ),
    ] = "",
    log_level: Annotated[
        str, typer.Option(envvar="LAUREL_LOG_LEVEL", help="debug, info, warning or error.")
    ] = "info",
    certs: Annotated[
        Path | None,
        typer.Option(help="A directory that `laurel certs` filled: mutual TLS on every port."),
    ] = None,
) -> None:
    """Run PostgreSQL, Valkey and the four services until Ctrl-C.

    Other settings of the services are taken from LAUREL_* variables, as theirs are.
    """
    run(
        _up(
            lambda: StackOptions(
                root=data,
                ports=Ports.parse(ports) if ports else Ports.default(),
                database_url=parse_url("--database-url", database_url, check_database_url),
                redis_url=parse_url("--redis-url", redis_url, check_redis_url),
                log_level=parse_word("--log-level", log_level, LOG_LEVELS),
                certificates=certs,
            )
        )
    )


async def _up(options: Callable[[], StackOptions]) -> None:
    """Reads the options where what is wrong with them is told."""
    if strays := unknown(os.environ):
        raise UsageError(f"no service has a setting {', '.join(strays)}")
    await run_stack_until_stopped(options())


async def run_stack_until_stopped(options: StackOptions) -> None:
    """Brings a Laurel up, says where it is, and brings it down on SIGINT or SIGTERM."""
    async with until_signal(), running_stack(options, remark) as stack:
        print_endpoints(stack)
        await asyncio.Event().wait()


@asynccontextmanager
async def until_signal() -> AsyncIterator[None]:
    """Leaves the block, wherever it is, on the first SIGINT or SIGTERM; what is cleaned up on the
    way out is not disturbed by a second one.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if not stopping and task is not None:
            stopping = True
            remark("stopping")
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        yield
    except asyncio.CancelledError:
        if not stopping:
            raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def print_endpoints(stack: Stack) -> None:
    """A table of the services, and where everything else is."""
    table = Table(box=box.SIMPLE_HEAD, title=f"Laurel is up after {stack.ready_after:.1f} s")
    table.title_justify = "left"
    table.add_column("service")
    table.add_column("gRPC")
    table.add_column("log")
    for name, target in stack.targets.items():
        table.add_row(name, target, str(stack.layout.logs / f"{name}.log"))
    console.print(table)
    console.print(
        f"Data and keys are in {stack.layout.root}; Ctrl-C stops everything.", soft_wrap=True
    )
