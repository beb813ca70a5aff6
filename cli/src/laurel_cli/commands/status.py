"""`laurel status`: whether the services serve."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from laurel_cli.errors import EXIT_UNAVAILABLE, UsageError
from laurel_cli.options import AsJson, Data, Endpoint
from laurel_cli.rpc.health import health_of
from laurel_cli.rpc.where import Where, own_certificate, transport
from laurel_cli.running import console, run
from laurel_cli.stack.layout import SERVICES


def status(
    data: Data = Path(".laurel"),
    service: Annotated[
        str, typer.Option(help="Only this service; the exit code is its answer.")
    ] = "",
    endpoint: Endpoint = None,
    as_json: AsJson = False,
) -> None:
    """Say whether the four services serve; exits with 5 where one does not."""
    where = Where(data=data, endpoints=tuple(endpoint or ()))
    states = run(_states(where, service))
    if as_json:
        typer.echo(json.dumps({name: state for name, _, state in states}))
    else:
        _print(states)
    if any(state != "SERVING" for _, _, state in states):
        raise typer.Exit(EXIT_UNAVAILABLE)


async def _states(where: Where, service: str) -> list[tuple[str, str, str]]:
    if service and service not in SERVICES:
        raise UsageError(f"--service is one of {', '.join(SERVICES)}: {service!r}")
    names = [service] if service else list(SERVICES)
    targets = where.targets()
    ca_file, _ = transport()
    own = own_certificate()
    # Health is asked without a token: there is nothing to protect on the way.
    answers = await asyncio.gather(
        *(health_of(targets[name], ca_file=ca_file, allow_insecure=True, own=own) for name in names)
    )
    return [(name, targets[name], state) for name, state in zip(names, answers, strict=True)]


def _print(states: list[tuple[str, str, str]]) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("service", "gRPC", "health"):
        table.add_column(heading)
    for name, target, state in states:
        table.add_row(name, target, state, style="" if state == "SERVING" else "bold red")
    console.print(table)
