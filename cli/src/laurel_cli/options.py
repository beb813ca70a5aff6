"""Options that several commands have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from laurel_cli.errors import UsageError

Data = Annotated[
    Path,
    typer.Option("--data", envvar="LAUREL_DATA", help="The data directory of `laurel up`."),
]
Endpoint = Annotated[
    list[str] | None,
    typer.Option(
        "--endpoint",
        help="Where a service is, as ingest=host:port; may be repeated. Else LAUREL_*_TARGET, "
        "else the `laurel up` of the data directory, else ports 7401 to 7404.",
    ),
]
Token = Annotated[
    str,
    typer.Option("--token", envvar="LAUREL_TOKEN", help="A bearer token, in the place of a key."),
]
Key = Annotated[
    Path | None,
    typer.Option(
        "--key",
        help="The private key to call with; the file is named as its entry in the trust "
        "directory, as operator.pem.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Account = Annotated[
    str, typer.Argument(metavar="ACCOUNT_OR_ID", help="An account's login or an installation's id.")
]
From = Annotated[
    str,
    typer.Option(
        "--from", help="A range in the period's place: its first day or moment, as 2026-03-01, UTC."
    ),
]
To = Annotated[str, typer.Option("--to", help="The first day or moment after the range.")]
# A negative number is an installation's id here, not an option.
NEGATIVE_ARGUMENTS = {"ignore_unknown_options": True}


def parse_url(option: str, url: str | None, check: Callable[[str], str]) -> str | None:
    """`url` where `check` lets it through, None where there is none; raises UsageError that does
    not show it: passwords stand in URLs.
    """
    try:
        return check(url) if url else None
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error
