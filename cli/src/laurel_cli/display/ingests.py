"""Ingest runs as a line, and coverage as a table."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from laurel.common.v1 import coverage_pb2
from laurel.ingest.v1 import ingest_runs_pb2
from laurel_cli.display.text import words


def ingest_line(run: ingest_runs_pb2.Ingest) -> str:
    """How far a run is, what it brought and what it cost."""
    text = f"run {run.id} {words(ingest_runs_pb2.IngestState.Name(run.state), 'INGEST_STATE_')}"
    if run.repositories_total:
        text += f": {run.repositories_done:,} of {run.repositories_total:,} repositories"
    text += f", {run.new_count:,} new signals, {run.changed_count:,} changed"
    if run.withdrawn_count:
        text += f", {run.withdrawn_count:,} taken back"
    if run.request_count:
        text += f"; {run.request_count:,} requests, {run.point_count:,} points"
    if run.HasField("waiting_until"):
        text += f"; GitHub's rate limit until {run.waiting_until.ToJsonString()}"
    if run.failure_reason:
        text += f"; {run.failure_reason}"
    return text


def trouble_lines(run: ingest_runs_pb2.Ingest) -> list[str]:
    """What went wrong with single repositories."""
    return [
        f"{each.full_name}: {each.reason}{', left out' if each.left_out else ''}"
        for each in run.troubles
    ]


def coverage_table(
    found: Sequence[ingest_runs_pb2.RepositoryCoverage], names: Mapping[int, str]
) -> Table:
    """What is known of each repository, of how many GitHub counts."""
    table = Table(box=None, pad_edge=False)
    table.add_column("repository")
    for name in ("commits", "pull requests", "issues"):
        table.add_column(name, justify="right")
    table.add_column("last event")
    table.add_column("gap")
    for each in found:
        table.add_row(
            names.get(each.repository_id, str(each.repository_id)),
            *(_counted(kind) for kind in (each.commits, each.pull_requests, each.issues)),
            each.last_event_time.ToJsonString() if each.HasField("last_event_time") else "",
            ", ".join(_gap(gap) for gap in each.gaps),
        )
    return table


def _gap(gap: ingest_runs_pb2.CoverageGap) -> str:
    word = words(coverage_pb2.CoverageGapReason.Name(gap.reason), "COVERAGE_GAP_REASON_")
    return f"{word} {gap.last_time.ToJsonString()}" if gap.HasField("last_time") else word


def _counted(kind: ingest_runs_pb2.KindCoverage) -> str:
    return f"{kind.known:,} of {kind.total:,}" if kind.HasField("total") else f"{kind.known:,}"
