"""Figures as a table for people and as JSON lines for everything else."""

import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.measure import Figure

RESULTS = Path(__file__).parent / "results"


def show(figures: Sequence[Figure]) -> None:
    """Prints one row a figure."""
    table = Table(title="Ratios of alternating pairs, medians")
    for column in ("what", "against", "ours", "limit", "ratio", "to reach", ""):
        table.add_column(column, overflow="fold")
    for figure in figures:
        sign = "≥" if figure.at_least else "≤"
        table.add_row(
            figure.subject,
            figure.limit,
            f"{median(figure.subject_values):,.2f} {figure.unit}",
            f"{median(figure.limit_values):,.2f} {figure.unit}",
            f"{figure.ratio:.2f}",
            f"{sign} {figure.target:g}",
            "reached" if figure.reached else "MISSED",
        )
    Console(width=140).print(table)


def keep(figures: Sequence[Figure]) -> Path:
    """Appends the figures to today's file of JSON lines; its path."""
    RESULTS.mkdir(exist_ok=True)
    moment = datetime.now(UTC)
    path = RESULTS / f"{moment:%Y-%m-%d}.jsonl"
    with path.open("a") as file:
        for figure in figures:
            record = {"at": moment.isoformat(), "machine": platform.platform()}
            file.write(json.dumps(record | figure.as_record()) + "\n")
    return path
