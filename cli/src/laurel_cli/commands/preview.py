"""`laurel preview`: tries rules on a board before anybody activates them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from laurel.scoring.v1 import preview_pb2
from laurel_cli.commands.board import Period, Scope
from laurel_cli.display.board import board_title
from laurel_cli.display.preview import effects_table, preview_table
from laurel_cli.options import Account, AsJson, Data, Endpoint, From, Key, To, Token
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.lookups import find_board, find_installation
from laurel_cli.rpc.previews import FoundPreview, active_rules
from laurel_cli.rpc.previews import preview as fetch
from laurel_cli.rpc.ranges import in_range, range_of, range_words
from laurel_cli.rpc.rules_file import rules_over
from laurel_cli.rpc.where import Where
from laurel_cli.running import console, print_json, run


@dataclass(frozen=True, slots=True)
class Trial:
    """Which rules on which board, and how much of it is printed; a limit of 0 prints all."""

    rules: Path
    scope: str
    entity: str
    period: str
    start: str
    end: str
    top: int
    limit: int


def preview(
    account: Account,
    rules: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="TOML or JSON with what is to change of the active rules, as "
            "base_points.commit = 12.5 or daily_quotas.comment = false.",
        ),
    ],
    *,
    scope: Scope = "organization",
    entity: Annotated[
        str, typer.Option(help="What it ranks: contributors, teams or repositories.")
    ] = "contributors",
    period: Period = "month",
    start: From = "",
    end: To = "",
    top: Annotated[int, typer.Option(min=1, max=1000, help="Places that count as the top.")] = 10,
    limit: Annotated[int, typer.Option(min=0, help="Entries that are printed; 0: all.")] = 50,
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """Print what other rules would make of a board: who moves, and because of which rule."""
    where = Where(data, tuple(endpoint or ()), token, key)
    trial = Trial(rules, scope, entity, period, start, end, top, limit)
    login, found = run(_preview(where, account, trial))
    if as_json:
        print_json(found.header, *found.entries)
        return
    title = board_title(entity, login, scope, range_words(start, end) or period)
    console.print(preview_table(title, found.header, found.entries))
    if found.header.effects:
        console.print(effects_table(found.header))


async def _preview(where: Where, account: str, trial: Trial) -> tuple[str, FoundPreview]:
    window = range_of(trial.start, trial.end)
    caller = Caller.of(where)
    installation = await find_installation(caller, account)
    board = await find_board(
        caller, installation, scope=trial.scope, entity=trial.entity, period=trial.period
    )
    active = await active_rules(caller, installation.installation_id)
    request = preview_pb2.PreviewRulesRequest(
        rules=rules_over(active, trial.rules), top_size=trial.top, max_entries=trial.limit
    )
    if window is None:
        request.board.CopyFrom(board)
    else:
        request.range.CopyFrom(in_range(board, window))
    return installation.account_login, await fetch(caller, request)
