"""`laurel keys token-key …`: the keys that encrypt GitHub's tokens, and their rotation."""

from pathlib import Path
from typing import Annotated

import typer

from laurel.identity.v1 import auth_pb2_grpc, auth_sessions_pb2
from laurel_cli.options import Data, Endpoint, Key, Token
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.where import Where
from laurel_cli.running import console, run
from laurel_cli.stack.token_keys import add_token_key, retire_token_keys

app = typer.Typer(
    help="The keys that encrypt GitHub's tokens: add one, restart identity, rotate, retire.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
KeysFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The file that LAUREL_TOKEN_KEYS_FILE names.")
]


@app.command()
def add(path: KeysFile) -> None:
    """Put a new current key into the file, made where there is none; former ones stay readable."""
    count = run(_add(path))
    console.print(f"{path}: a new key encrypts, {count} can be read", markup=False)


@app.command()
def rotate(
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """Have identity encrypt all tokens with its current key, after it was started with it."""
    done = run(_rotate(Where(data, tuple(endpoint or ()), token, key)))
    console.print(
        f"{done.rotated_count} sessions rewritten, {done.unreadable_count} unreadable",
        markup=False,
    )


@app.command()
def retire(path: KeysFile) -> None:
    """Take the former keys out of the file, once the tokens are rotated."""
    count = run(_retire(path))
    console.print(f"{path}: {count} former keys are gone", markup=False)


async def _add(path: Path) -> int:
    return add_token_key(path)


async def _retire(path: Path) -> int:
    return retire_token_keys(path)


async def _rotate(where: Where) -> auth_sessions_pb2.RotateTokensResponse:
    async with Caller.of(where).channel("identity") as channel:
        stub = auth_pb2_grpc.AuthServiceStub(channel)
        return await stub.RotateTokens(auth_sessions_pb2.RotateTokensRequest())
