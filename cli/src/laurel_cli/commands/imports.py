"""`laurel import`: activity in, from files of GH Archive or a git clone."""

from pathlib import Path
from typing import Annotated

import typer

from laurel_cli.display.importing import import_report, summary_json
from laurel_cli.importing.imports import find_clone, import_archives, import_clone
from laurel_cli.importing.summary import ImportSummary
from laurel_cli.options import AsJson, Data, Endpoint, Key, Token
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.where import Where
from laurel_cli.running import console, run

app = typer.Typer(
    help="Import activity; running an import again changes nothing and goes on where one stopped.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.command()
def gharchive(
    files: Annotated[list[Path], typer.Argument(help="Files of GH Archive, plain or gzip.")],
    *,
    owner: Annotated[
        list[str] | None,
        typer.Option(help="Only this account's repositories; may be repeated. Default: all."),
    ] = None,
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """Import files of GH Archive: each account becomes an installation."""
    where = Where(data, tuple(endpoint or ()), token, key)
    _report(run(_gharchive(where, files, owner or [])), as_json=as_json)


@app.command()
def git(
    path: Annotated[Path, typer.Argument(help="A clone; its default branch is read.")],
    *,
    repository: Annotated[
        str, typer.Option(help="owner/name on GitHub; else that of the remote `origin`.")
    ] = "",
    repository_id: Annotated[
        int,
        typer.Option(
            min=0, max=2**63 - 1, help="GitHub's id of the repository, where it is known."
        ),
    ] = 0,
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """Import the commits of a git clone, without any network."""
    where = Where(data, tuple(endpoint or ()), token, key)
    _report(run(_git(where, path, repository, repository_id)), as_json=as_json)


async def _gharchive(where: Where, files: list[Path], owners: list[str]) -> ImportSummary:
    return await import_archives(Caller.of(where), files, owners)


async def _git(where: Where, path: Path, repository: str, repository_id: int) -> ImportSummary:
    clone = find_clone(path, full_name=repository, repository_id=repository_id)
    return await import_clone(Caller.of(where), clone)


def _report(summary: ImportSummary, *, as_json: bool) -> None:
    if as_json:
        typer.echo(summary_json(summary))
        return
    for each in import_report(summary):
        console.print(each)
