"""`laurel demo`: the main job in one go, on a data directory of its own."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer

from laurel_cli.commands.up import until_signal
from laurel_cli.demo.busiest import busiest_owners
from laurel_cli.demo.cast import ORGANIZATION
from laurel_cli.demo.directory import reset
from laurel_cli.demo.walk import Activity, Walk, write_invented_year
from laurel_cli.errors import UsageError
from laurel_cli.importing.imports import Clone, archive_lines, find_clone
from laurel_cli.running import console, remark, run
from laurel_cli.stack.ports import Ports
from laurel_cli.stack.stack import StackOptions, running_stack


def demo(
    data: Annotated[
        Path, typer.Option(help="Where the demo lives; emptied for every demo.")
    ] = Path("build/demo"),
    git: Annotated[
        Path | None, typer.Option(help="A git clone to show; else this checkout.")
    ] = None,
    archive: Annotated[
        list[Path] | None,
        typer.Option(help="A file of GH Archive in the place of the invented year; may repeat."),
    ] = None,
    owner: Annotated[
        str, typer.Option(help="Whose boards to show of the archive; else the busiest account's.")
    ] = "",
    keep: Annotated[bool, typer.Option(help="Stay up until Ctrl-C afterwards.")] = False,
) -> None:
    """Show the main job: a year of activity in, ranked and explained boards out."""
    run(_demo(data, git, archive or [], owner, keep=keep))


async def _demo(data: Path, git: Path | None, files: list[Path], owner: str, *, keep: bool) -> None:
    started = time.monotonic()
    clone = _clone(git)
    reset(data)
    # Both take a second or two of another core each.
    preparing = asyncio.create_task(asyncio.to_thread(_activity, data, files, owner, clone))
    ports = Ports.default()
    options = StackOptions(
        root=data, ports=Ports.parse("any") if ports.taken() else ports, log_level="warning"
    )
    async with until_signal(), running_stack(options, _only_faults) as stack:
        console.print(f"PostgreSQL, Valkey and four services, up in {stack.ready_after:.1f} s")
        await Walk(stack, started).show(await preparing, stays_up=keep)
        if keep:
            remark("\nThe demo stays up until Ctrl-C.")
            await asyncio.Event().wait()


def _activity(data: Path, files: list[Path], owner: str, clone: Clone | None) -> Activity:
    if not files:
        made = write_invented_year(data / "archive")
        return Activity(made, [ORGANIZATION.login], clone, invented=True)
    accounts = [owner] if owner else busiest_owners(archive_lines(files))
    if not accounts:
        raise UsageError("the archive names no repository: there is nothing to show")
    return Activity(files, accounts, clone, invented=False)


def _clone(path: Path | None) -> Clone | None:
    """The clone that was asked for, or this checkout where it is one."""
    if path is not None:
        return find_clone(path)
    try:
        return find_clone(Path(__file__).resolve().parent)
    except UsageError:
        return None


def _only_faults(line: str) -> None:
    """Says what an operator would want to know; a new directory's migrations are not that."""
    if not line.startswith("applied migration"):
        remark(line)
