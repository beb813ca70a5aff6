"""`laurel board`: prints a page of a board."""

from pathlib import Path
from typing import Annotated

import typer

from laurel.leaderboard.v1 import leaderboard_pb2
from laurel_cli.display.board import board_table, board_title, next_page_hint
from laurel_cli.options import Account, AsJson, Data, Endpoint, Key, Token
from laurel_cli.rpc.boards import get_board
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.lookups import find_board, find_installation
from laurel_cli.rpc.where import Where
from laurel_cli.running import console, print_json, remark, run

Scope = Annotated[
    str, typer.Option(help="What it covers: organization, team:SLUG or repository:NAME.")
]
Period = Annotated[str, typer.Option(help="today, week, month, quarter, half_year or all_time.")]


def board(
    account: Account,
    *,
    scope: Scope = "organization",
    entity: Annotated[
        str, typer.Option(help="What it ranks: contributors, teams or repositories.")
    ] = "contributors",
    period: Period = "month",
    limit: Annotated[int, typer.Option(min=1, max=500, help="Entries on a page.")] = 50,
    page_token: Annotated[
        str, typer.Option(help="Where the page before said that the next one begins.")
    ] = "",
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """Print a board: places, scores and what they are made of."""
    where = Where(data, tuple(endpoint or ()), token, key)
    work = _board(
        where,
        account,
        scope=scope,
        entity=entity,
        period=period,
        limit=limit,
        page_token=page_token,
    )
    login, answer = run(work)
    if as_json:
        print_json(answer)
        return
    console.print(board_table(board_title(entity, login, scope, period), answer))
    for hint in next_page_hint(answer):
        remark(hint)


async def _board(
    where: Where,
    account: str,
    *,
    scope: str,
    entity: str,
    period: str,
    limit: int,
    page_token: str,
) -> tuple[str, leaderboard_pb2.GetLeaderboardResponse]:
    caller = Caller.of(where)
    installation = await find_installation(caller, account)
    wanted = await find_board(caller, installation, scope=scope, entity=entity, period=period)
    answer = await get_board(caller, wanted, limit=limit, page_token=page_token)
    return installation.account_login, answer
