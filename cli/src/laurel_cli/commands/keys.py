"""`laurel keys`: the keys that callers sign with, and whom the services trust."""

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from laurel_cli.commands import token_keys
from laurel_cli.display.text import clean
from laurel_cli.errors import CommandError
from laurel_cli.options import Data
from laurel_cli.running import console, run
from laurel_cli.stack.credentials import ensure_credentials
from laurel_cli.stack.deployment import write_deployment
from laurel_cli.stack.layout import Layout
from laurel_common.auth.keys import KeyFileError, generate_private_key, public_pem
from laurel_common.auth.trust import TrustedKey, TrustFileError, parse_trust_file

app = typer.Typer(
    help="The keys that callers sign with, and whom the services trust.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(token_keys.app, name="token-key")


@app.command("list")
def list_keys(data: Data = Path(".laurel")) -> None:
    """Print whom the services of a data directory trust, and for what."""
    keys = run(_trusted(Layout(data).trust_file))
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("name", "kind", "installations", "methods"):
        table.add_column(heading, overflow="fold")
    for key in keys:
        reach = "all" if key.installations is None else ", ".join(map(str, key.installations))
        methods = "\n".join(each.removeprefix("laurel.") for each in key.methods)
        table.add_row(clean(key.name), key.kind.value, reach or "none", methods)
    console.print(table)


async def _trusted(path: Path) -> list[TrustedKey]:
    return _read(path)


def _read(path: Path) -> list[TrustedKey]:
    try:
        return parse_trust_file(path.read_text())
    except (OSError, TrustFileError) as error:
        raise CommandError(f"{path}: {error}") from error


@app.command()
def generate(
    path: Annotated[Path, typer.Argument(help="The file to write; never one that exists.")],
) -> None:
    """Make a private key, and print its public half for a trust directory."""
    typer.echo(run(_generate(path)), nl=False)


async def _generate(path: Path) -> str:
    return public_pem(generate_private_key(path))


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="Where the files are put.")],
    database: Annotated[
        str, typer.Option(help="Where the services find PostgreSQL, as host:port/database.")
    ] = "postgres:5432/laurel",
    cache: Annotated[
        str, typer.Option(help="Where the services find Valkey or Redis, as host:port.")
    ] = "valkey:6379",
) -> None:
    """Make everything secret that a deployment needs, one file each; keeps what is there."""
    run(_init(directory, database, cache))
    console.print(f"keys, passwords and the trust directory are in {directory}", markup=False)


async def _init(directory: Path, database: str, cache: str) -> None:
    layout = Layout(directory)
    try:
        layout.make_private()
        ensure_credentials(layout)
        write_deployment(layout, database=database, cache=cache)
    except (KeyFileError, TrustFileError) as error:
        raise CommandError(str(error)) from error
