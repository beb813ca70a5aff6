"""`laurel export`: writes a whole board to a file or to stdout."""

from pathlib import Path
from typing import Annotated

import typer

from laurel_cli.commands.board import Period, Scope
from laurel_cli.exporting import FORMATS, write_export
from laurel_cli.options import Account, Data, Endpoint, Key, Token
from laurel_cli.rpc.boards import export_board
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.lookups import find_board, find_installation, parse_word
from laurel_cli.rpc.where import Where
from laurel_cli.running import remark, run


def export(
    account: Account,
    *,
    scope: Scope = "organization",
    entity: Annotated[
        str, typer.Option(help="What it ranks: contributors, teams or repositories.")
    ] = "contributors",
    period: Period = "month",
    form: Annotated[str, typer.Option("--format", help="csv, jsonl or arrow.")] = "csv",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write. Default: stdout.")
    ] = None,
    version: Annotated[
        int, typer.Option(min=0, help="A materialization id that is kept. Default: the current.")
    ] = 0,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """Write a whole board as CSV, JSON lines or Arrow."""
    where = Where(data, tuple(endpoint or ()), token, key)
    wanted = FORMATS[parse_word("--format", form, FORMATS)]

    async def work() -> int:
        caller = Caller.of(where)
        installation = await find_installation(caller, account)
        board = await find_board(caller, installation, scope=scope, entity=entity, period=period)
        return await write_export(export_board(caller, board, wanted, version), output)

    rows = run(work())
    if output is not None:
        remark(f"{rows:,} entries in {output}")
