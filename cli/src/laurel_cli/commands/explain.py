"""`laurel explain`: prints why a score is what it is, signal by signal."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from laurel.common.v1 import types_pb2
from laurel.identity.v1 import entities_pb2
from laurel.scoring.v1 import explanation_pb2
from laurel_cli.commands.board import Period, Scope
from laurel_cli.display.board import board_title
from laurel_cli.display.ledger import ledger_table, summed
from laurel_cli.options import Account, AsJson, Data, Endpoint, From, Key, To, Token
from laurel_cli.rpc.boards import Explanation
from laurel_cli.rpc.boards import explain as fetch
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.lookups import find_board, find_entity, find_installation, parse_enum
from laurel_cli.rpc.ranges import in_range, range_of, range_words
from laurel_cli.rpc.where import Where
from laurel_cli.running import console, print_json, run


@dataclass(frozen=True, slots=True)
class Question:
    """Whose score on which board; `last` limits the lines that are printed, 0 prints all.

    start, end: a range in the period's place. outcomes, types: the words that options give.
    """

    scope: str
    entity: str
    period: str
    name: str
    last: int = 0
    start: str = ""
    end: str = ""
    outcomes: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    urls: bool = False


def explain(
    account: Account,
    name: Annotated[
        str, typer.Argument(metavar="LOGIN_OR_NAME", help="A login, team slug, repository or id.")
    ],
    *,
    scope: Scope = "organization",
    entity: Annotated[
        str, typer.Option(help="What the name is: contributors, teams or repositories.")
    ] = "contributors",
    period: Period = "month",
    start: From = "",
    end: To = "",
    outcome: Annotated[
        list[str] | None,
        typer.Option(help="Print only lines of this outcome, as daily_quota; may be repeated."),
    ] = None,
    signal_type: Annotated[
        list[str] | None,
        typer.Option("--type", help="Print only lines of this type, as commit; may be repeated."),
    ] = None,
    last: Annotated[int, typer.Option(min=0, help="Print only the last lines; 0: all.")] = 0,
    urls: Annotated[bool, typer.Option("--urls", help="Print addresses in full.")] = False,
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """Print a score's ledger: every signal, what it earned and why, and the running sum."""
    where = Where(data, tuple(endpoint or ()), token, key)
    question = Question(
        scope,
        entity,
        period,
        name,
        last,
        start=start,
        end=end,
        outcomes=outcome or [],
        types=signal_type or [],
        urls=urls,
    )
    run(_explain(where, account, question, as_json=as_json))


async def _explain(where: Where, account: str, question: Question, *, as_json: bool) -> None:
    caller = Caller.of(where)
    installation = await find_installation(caller, account)
    if as_json:
        _, found = await _ask(caller, installation, question)
        print_json(found.header, *found.lines)
    else:
        await print_ledger(caller, installation, question)


async def print_ledger(
    caller: Caller, installation: entities_pb2.Installation, question: Question
) -> None:
    """Asks the question and prints the answer as a table."""
    name, found = await _ask(caller, installation, question)
    lines = summed(found.lines)[-question.last :]
    period = range_words(question.start, question.end) or question.period
    title = board_title(name, installation.account_login, question.scope, period)
    console.print(ledger_table(title, found.header, lines, urls=question.urls))


async def _ask(
    caller: Caller, installation: entities_pb2.Installation, question: Question
) -> tuple[str, Explanation]:
    outcomes, types = explanation_pb2.Outcome, types_pb2.SignalType
    request = explanation_pb2.ExplainScoreRequest(
        outcomes=[parse_enum("--outcome", each, outcomes) for each in question.outcomes],
        types=[parse_enum("--type", each, types) for each in question.types],
    )
    window = range_of(question.start, question.end)
    request.entity_id, name = await find_entity(
        caller, installation, question.entity, question.name
    )
    board = await find_board(
        caller,
        installation,
        scope=question.scope,
        entity=question.entity,
        period=question.period,
    )
    if window is None:
        request.board.CopyFrom(board)
    else:
        request.range.CopyFrom(in_range(board, window))
    return name, await fetch(caller, request)
