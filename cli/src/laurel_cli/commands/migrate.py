"""`laurel migrate`: brings a database to the schema that the services count on."""

from pathlib import Path
from typing import Annotated

import typer

from laurel_cli.errors import UsageError
from laurel_cli.options import parse_url
from laurel_cli.running import console, run
from laurel_cli.stack.layout import SERVICES, role_of
from laurel_cli.stack.migrating import migrate_database
from laurel_common.addresses import check_database_url
from laurel_common.config import ConfigError, read_secret


def migrate(
    database_url: Annotated[
        str,
        typer.Option(
            envvar="LAUREL_DATABASE_URL", help="The database, as the owner of the schema."
        ),
    ] = "",
    database_url_file: Annotated[
        Path | None,
        typer.Option(envvar="LAUREL_DATABASE_URL_FILE", help="A file with that URL."),
    ] = None,
    role_passwords: Annotated[
        Path | None,
        typer.Option(
            help="A directory with a file for each service's role (laurel_identity, …): sets "
            "their passwords, too."
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            help="The last file that was applied by hand (psql), as 062_private_addresses: up to "
            "it files are noted, not run."
        ),
    ] = None,
) -> None:
    """Bring a database's schema up to date; a second run changes nothing."""
    run(_migrate(database_url, database_url_file, role_passwords, baseline))


async def _migrate(
    url: str, url_file: Path | None, passwords: Path | None, baseline: str | None
) -> None:
    if url and url_file:
        raise UsageError("the database is given as a value and as a file")
    if not url and url_file is None:
        raise UsageError("--database-url or LAUREL_DATABASE_URL says which database to migrate")
    try:
        found = {
            role_of(name): read_secret(passwords / role_of(name)) for name in SERVICES if passwords
        }
        database = url or read_secret(url_file or Path())
    except ConfigError as error:
        raise UsageError("; ".join(error.problems)) from error
    parse_url("the database's URL", database, check_database_url)
    report = migrate_database(database, found, baseline=baseline)
    for name in report.applied:
        console.print(f"applied {name}", markup=False)
    console.print(f"the schema is at {report.version}", markup=False)
