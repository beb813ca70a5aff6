"""`laurel score`: asks for an account's boards to be computed."""

from pathlib import Path
from typing import Annotated

import typer

from laurel.scoring.v1 import scoring_pb2
from laurel_cli.display.scoring import scoring_line
from laurel_cli.options import Account, AsJson, Data, Endpoint, Key, Token
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.lookups import find_installation
from laurel_cli.rpc.scoring_runs import start_scoring, wait_for_scoring
from laurel_cli.rpc.where import Where
from laurel_cli.running import console, print_json, remarks, run


def score(
    account: Account,
    *,
    wait: Annotated[
        bool, typer.Option(help="Wait until the boards can be read, or only ask for them.")
    ] = True,
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """Compute all boards of an account by its active preset."""
    where = Where(data, tuple(endpoint or ()), token, key)
    found = run(_score(where, account, wait=wait))
    if as_json:
        print_json(found)
    else:
        console.print(scoring_line(found), markup=False)


async def _score(where: Where, account: str, *, wait: bool) -> scoring_pb2.Scoring:
    caller = Caller.of(where)
    installation = await find_installation(caller, account)
    run = await start_scoring(caller, installation.installation_id)
    if not wait:
        return run
    with remarks.status(scoring_line(run)) as status:
        return await wait_for_scoring(caller, run, lambda each: status.update(scoring_line(each)))
