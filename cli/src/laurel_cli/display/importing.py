"""What an import came to, as tables."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from laurel.common.v1 import types_pb2
from laurel_cli.display.text import clean, words
from laurel_cli.importing.summary import ImportSummary

_MAX_PROBLEMS = 20


def import_report(summary: ImportSummary) -> Iterator[RenderableType]:
    """A headline, signals by type, and what was left out and why."""
    yield Text(headline(summary))
    if summary.signals:
        yield signals_table(summary)
    if summary.skipped:
        reasons = ", ".join(
            f"{count:,} {clean(reason)}" for reason, count in summary.skipped.most_common()
        )
        yield Text(f"left out: {reasons}")
    for problem in summary.problems[:_MAX_PROBLEMS]:
        place = f"{clean(problem.file_name)}:{problem.line_number}".removesuffix(":0")
        yield Text(f"{place}: {clean(problem.reason)}: {clean(problem.description)}")
    if len(summary.problems) > _MAX_PROBLEMS:
        yield Text(f"and {len(summary.problems) - _MAX_PROBLEMS:,} more problems")


def summary_json(summary: ImportSummary) -> str:
    """The same for programs, as one JSON object."""
    signals = {_type_name(number): asdict(each) for number, each in sorted(summary.signals.items())}
    problems = [
        {
            "file_name": each.file_name,
            "line_number": each.line_number,
            "reason": each.reason,
            "description": each.description,
        }
        for each in summary.problems
    ]
    return json.dumps(
        {
            "events": summary.events,
            "signals": signals,
            "withdrawn": summary.withdrawn,
            "skipped": dict(summary.skipped),
            "problems": problems,
            "installation_ids": sorted(summary.installation_ids),
        }
    )


def headline(summary: ImportSummary) -> str:
    """Events read, and signals new, changed, duplicate and withdrawn, in one line."""
    totals = summary.totals
    return (
        f"{summary.events:,} events read: {totals.new:,} new signals, {totals.changed:,} changed, "
        f"{totals.duplicate:,} known already, {summary.withdrawn:,} withdrawn"
    )


def signals_table(summary: ImportSummary) -> Table:
    """Signals by type."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("signal")
    for heading in ("new", "changed", "known already"):
        table.add_column(heading, justify="right")
    for number, totals in sorted(summary.signals.items()):
        table.add_row(
            _type_name(number),
            f"{totals.new:,}",
            f"{totals.changed:,}",
            f"{totals.duplicate:,}",
        )
    return table


def _type_name(number: int) -> str:
    name = types_pb2.SignalType.Name(types_pb2.SignalType.ValueType(number))
    return words(name, "SIGNAL_TYPE_")
