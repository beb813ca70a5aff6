"""`laurel ingest`: has history read from GitHub, and tells how far it is."""

from pathlib import Path
from typing import Annotated

import typer

from laurel.ingest.v1 import ingest_runs_pb2
from laurel_cli.display.ingests import ingest_line, trouble_lines
from laurel_cli.errors import UsageError
from laurel_cli.options import Account, AsJson, Data, Endpoint, Key, Token
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.ingests import (
    Wanted,
    cancel_ingest,
    get_ingest,
    list_ingests,
    start_ingest,
    wait_for_ingest,
)
from laurel_cli.rpc.lookups import PERIODS, find_installation
from laurel_cli.rpc.where import Where
from laurel_cli.running import console, print_json, remarks, run

app = typer.Typer(
    help="Read an account's history from GitHub.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Run = Annotated[int, typer.Argument(help="The run's number.", min=1)]


@app.command()
def start(
    account: Account,
    *,
    team: Annotated[int, typer.Option(help="Only this team's repositories, by its id.")] = 0,
    repository: Annotated[int, typer.Option(help="Only this repository, by its id.")] = 0,
    period: Annotated[str, typer.Option(help=f"How far back: {', '.join(PERIODS)}.")] = "all_time",
    force: Annotated[bool, typer.Option(help="Whenever the last run was.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until the run has ended.")] = True,
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """Read what is new on GitHub since the last run, all of it at first."""
    where = Where(data, tuple(endpoint or ()), token, key)

    async def work() -> ingest_runs_pb2.Ingest:
        if period not in PERIODS:
            raise UsageError(f"no such period: {period}; there are {', '.join(PERIODS)}")
        if team and repository:
            raise UsageError("a team or a repository, not both")
        caller = Caller.of(where)
        installation = await find_installation(caller, account)
        wanted = Wanted(installation.installation_id, team, repository, PERIODS[period], force)
        begun = await start_ingest(caller, wanted)
        return await _waited(caller, begun) if wait else begun

    _show(run(work()), as_json=as_json)


@app.command()
def watch(
    account: Account,
    number: Run,
    *,
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """Tell how far a run is until it has ended."""
    where = Where(data, tuple(endpoint or ()), token, key)

    async def work() -> ingest_runs_pb2.Ingest:
        caller = Caller.of(where)
        installation = await find_installation(caller, account)
        return await _waited(caller, await get_ingest(caller, installation.installation_id, number))

    _show(run(work()), as_json=as_json)


@app.command("list")
def list_runs(
    account: Account,
    *,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)] = 20,
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """List an account's runs, newest first."""
    where = Where(data, tuple(endpoint or ()), token, key)

    async def work() -> list[ingest_runs_pb2.Ingest]:
        caller = Caller.of(where)
        installation = await find_installation(caller, account)
        return await list_ingests(caller, installation.installation_id, limit)

    for each in run(work()):
        _show(each, as_json=as_json)


@app.command()
def cancel(
    account: Account,
    number: Run,
    *,
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """End a run; what it has read stays."""
    where = Where(data, tuple(endpoint or ()), token, key)

    async def work() -> ingest_runs_pb2.Ingest:
        caller = Caller.of(where)
        installation = await find_installation(caller, account)
        return await cancel_ingest(caller, installation.installation_id, number)

    _show(run(work()), as_json=as_json)


async def _waited(caller: Caller, begun: ingest_runs_pb2.Ingest) -> ingest_runs_pb2.Ingest:
    with remarks.status(ingest_line(begun)) as status:
        return await wait_for_ingest(caller, begun, lambda each: status.update(ingest_line(each)))


def _show(found: ingest_runs_pb2.Ingest, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    console.print(ingest_line(found), markup=False)
    for line in trouble_lines(found):
        console.print(f"  {line}", markup=False)
