"""`laurel explain`: prints why a score is what it is, signal by signal."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from laurel.identity.v1 import entities_pb2
from laurel_cli.commands.board import Period, Scope
from laurel_cli.display.board import board_title
from laurel_cli.display.ledger import ledger_table, summed
from laurel_cli.options import Account, AsJson, Data, Endpoint, Key, Token
from laurel_cli.rpc.boards import Explanation
from laurel_cli.rpc.boards import explain as fetch
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.lookups import (
    find_board,
    find_entity,
    find_installation,
    repository_names,
    user_logins,
)
from laurel_cli.rpc.where import Where
from laurel_cli.running import console, print_json, run


@dataclass(frozen=True, slots=True)
class Question:
    """Whose score on which board; `last` limits the lines that are printed, 0 prints all."""

    scope: str
    entity: str
    period: str
    name: str
    last: int = 0


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
    last: Annotated[int, typer.Option(min=0, help="Print only the last lines; 0: all.")] = 0,
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """Print a score's ledger: every signal, what it earned and why, and the running sum."""
    where = Where(data, tuple(endpoint or ()), token, key)
    question = Question(scope, entity, period, name, last)
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
    repositories = {each.line.repository_id for each in lines}
    names = await repository_names(caller, installation.installation_id, repositories)
    members = await user_logins(caller, {each.line.member_id for each in lines})
    title = board_title(name, installation.account_login, question.scope, question.period)
    console.print(ledger_table(title, found.header, lines, repositories=names, members=members))


async def _ask(
    caller: Caller, installation: entities_pb2.Installation, question: Question
) -> tuple[str, Explanation]:
    entity_id, name = await find_entity(caller, installation, question.entity, question.name)
    board = await find_board(
        caller,
        installation,
        scope=question.scope,
        entity=question.entity,
        period=question.period,
    )
    return name, await fetch(caller, board, entity_id)
