"""`laurel claim`: says whom an author without a GitHub id is."""

from pathlib import Path
from typing import Annotated

import typer

from laurel.identity.v1 import directory_claims_pb2
from laurel_cli.display.claims import claim_line
from laurel_cli.errors import UsageError
from laurel_cli.options import AsJson, Data, Endpoint, Key, Token
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.claims import say_claim, wait_for_claim
from laurel_cli.rpc.lookups import find_user
from laurel_cli.rpc.where import Where
from laurel_cli.running import console, print_json, remarks, run


def claim(
    author: Annotated[
        str, typer.Argument(metavar="AUTHOR", help="The author's id or name, as boards show it.")
    ],
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="The login or id of whom the author is.")
    ] = "",
    *,
    release: Annotated[
        bool, typer.Option("--release", help="Take back what was said of the author.")
    ] = False,
    wait: Annotated[
        bool, typer.Option(help="Wait until all signals have followed, or only say it.")
    ] = True,
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """Say whom an author without a GitHub id is: signals move there, and back by --release."""
    where = Where(data, tuple(endpoint or ()), token, key)
    found = run(_claim(where, author, person, release=release, wait=wait))
    if as_json:
        print_json(found)
    else:
        console.print(claim_line(found), markup=False)


async def _claim(
    where: Where, author: str, person: str, *, release: bool, wait: bool
) -> directory_claims_pb2.IdentityClaim:
    if release == bool(person):
        raise UsageError("name the person, or --release")
    caller = Caller.of(where)
    synthetic_id = (await find_user(caller, author))[0]
    user_id = (await find_user(caller, person))[0] if person else None
    said = await say_claim(caller, synthetic_id, user_id)
    if not wait:
        return said
    with remarks.status(claim_line(said)) as status:
        return await wait_for_claim(
            caller, synthetic_id, user_id, lambda each: status.update(claim_line(each))
        )
