"""`laurel certs`: certificates for development, by an authority of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from laurel_cli.errors import CommandError
from laurel_cli.running import console, run
from laurel_cli.stack.authority import Authority
from laurel_cli.stack.layout import OPERATOR, SERVICES


def certs(
    directory: Annotated[Path, typer.Argument(help="Where the files are put.")],
    host: Annotated[
        list[str] | None,
        typer.Option("--host", help="A name or address more that the services are reached at."),
    ] = None,
) -> None:
    """Make a development authority, kept where there is one, and new certificates for the services
    and operators, a year each.
    """
    names = run(_certs(directory, tuple(host or ())))
    console.print(f"ca.pem and certificates of {', '.join(names)} are in {directory}", markup=False)


async def _certs(directory: Path, hosts: tuple[str, ...]) -> list[str]:
    try:
        authority = Authority(directory)
    except ValueError as error:
        raise CommandError(str(error)) from error
    names = [*SERVICES, OPERATOR]
    for name in names:
        authority.issue(name, hosts)
    return names
