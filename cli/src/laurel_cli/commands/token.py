"""`laurel token`: mints an operator's token for grpcurl, `buf curl` and the like."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from laurel_cli.errors import UsageError
from laurel_cli.options import Data, Key
from laurel_cli.rpc.caller import mint
from laurel_cli.rpc.where import Where
from laurel_cli.running import run
from laurel_cli.stack.layout import SERVICES

_DURATION = re.compile(r"^([0-9]{1,6})(s|m|h)$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


def token(
    data: Data = Path(".laurel"),
    ttl: Annotated[str, typer.Option(help="How long it counts: 1h at most, as 15m.")] = "1h",
    audience: Annotated[
        list[str] | None,
        typer.Option(help="A service that it is for; may be repeated. Default: all four."),
    ] = None,
    key: Key = None,
) -> None:
    """Print an operator's token, signed with the operator's key."""
    run(_token(Where(data=data, key=key), ttl, audience or list(SERVICES)))


async def _token(where: Where, ttl: str, audiences: list[str]) -> None:
    typer.echo(mint(where, audiences=audiences, lifetime=parse_duration(ttl)))


def parse_duration(text: str) -> timedelta:
    """Reads 90s, 15m or 1h; raises UsageError for anything else."""
    match = _DURATION.match(text)
    if match is None:
        raise UsageError(f"{text!r} is not a duration like 90s, 15m or 1h")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
