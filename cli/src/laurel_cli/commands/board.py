"""`laurel board`: prints a page of a board."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from laurel.common.v1 import types_pb2
from laurel.leaderboard.v1 import leaderboard_pb2
from laurel.scoring.v1 import range_pb2
from laurel_cli.display.board import board_table, board_title, next_page_hint, range_table
from laurel_cli.options import Account, AsJson, Data, Endpoint, From, Key, To, Token
from laurel_cli.rpc.boards import get_board, score_range
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.lookups import find_board, find_installation
from laurel_cli.rpc.ranges import Window, in_range, range_of, range_words
from laurel_cli.rpc.where import Where
from laurel_cli.running import console, print_json, remark, run

Scope = Annotated[
    str, typer.Option(help="What it covers: organization, team:SLUG or repository:NAME.")
]
Period = Annotated[str, typer.Option(help="today, week, month, quarter, half_year or all_time.")]
Answer = leaderboard_pb2.GetLeaderboardResponse | range_pb2.ScoreRangeResponse


@dataclass(frozen=True, slots=True)
class Page:
    """What the options say of a page; `token` is where it begins."""

    scope: str
    entity: str
    period: str
    limit: int
    token: str


def board(
    account: Account,
    *,
    scope: Scope = "organization",
    entity: Annotated[
        str, typer.Option(help="What it ranks: contributors, teams or repositories.")
    ] = "contributors",
    period: Period = "month",
    start: From = "",
    end: To = "",
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
    caller = Caller.of(where)
    window = range_of(start, end)
    asked = Page(scope, entity, period, limit, page_token)
    if window is not None:
        title = board_title(entity, account, scope, range_words(start, end))
        ranged, kind = run(_range(caller, account, asked, window))
        _show(ranged, lambda: range_table(title, ranged, kind), as_json=as_json)
        return
    login, answer = run(_board(caller, account, asked))
    title = board_title(entity, login, scope, period)
    _show(answer, lambda: board_table(title, answer), as_json=as_json)


def _show(answer: Answer, table: Callable[[], Table], *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    console.print(table())
    for hint in next_page_hint(answer):
        remark(hint)


async def _board(
    caller: Caller, account: str, asked: Page
) -> tuple[str, leaderboard_pb2.GetLeaderboardResponse]:
    installation = await find_installation(caller, account)
    wanted = await find_board(
        caller, installation, scope=asked.scope, entity=asked.entity, period=asked.period
    )
    answer = await get_board(caller, wanted, limit=asked.limit, page_token=asked.token)
    return installation.account_login, answer


async def _range(
    caller: Caller, account: str, asked: Page, window: Window
) -> tuple[range_pb2.ScoreRangeResponse, types_pb2.EntityType.ValueType]:
    installation = await find_installation(caller, account)
    wanted = await find_board(
        caller, installation, scope=asked.scope, entity=asked.entity, period=asked.period
    )
    board = in_range(wanted, window)
    answer = await score_range(caller, board, limit=asked.limit, page_token=asked.token)
    return answer, wanted.entity_type
