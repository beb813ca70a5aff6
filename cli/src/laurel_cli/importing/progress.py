"""How far an import is, while it runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from laurel_cli.display.text import clean
from laurel_cli.importing.summary import ImportSummary
from laurel_cli.running import remarks


class ImportProgress:
    """A bar over what has been read of all, and what has come of it so far."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def read(self, amount: int) -> None:
        """So much more of the source has been read."""
        self._progress.advance(self._task, amount)

    def answered(self, summary: ImportSummary) -> None:
        """Shows what has been committed."""
        found = f"{summary.events:,} events, {summary.totals.new:,} new signals"
        self._progress.update(self._task, found=found)


@contextmanager
def import_progress(what: str, total: int | None) -> Iterator[ImportProgress]:
    """A bar on stderr while the block runs; `total` is in the unit that `read` counts."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[found]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=remarks, transient=True) as progress:
        task = progress.add_task(clean(what), total=total, found="")
        yield ImportProgress(progress, task)
