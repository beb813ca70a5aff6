"""Scoring runs as a line."""

from laurel.scoring.v1 import scoring_pb2
from laurel_cli.display.text import words


def scoring_line(run: scoring_pb2.Scoring) -> str:
    """How far a run is, and how long it took where it has ended."""
    state = words(scoring_pb2.ScoringState.Name(run.state), "SCORING_STATE_")
    text = f"run {run.id} {state}"
    if run.phase == scoring_pb2.SCORING_PHASE_READING and run.signals_expected:
        text += f": {run.signal_count:,} of {run.signals_expected:,} signals read"
    if run.boards_total:
        text += f": {run.boards_published:,} of {run.boards_total:,} boards"
        text += f" from {run.signal_count:,} signals"
    if run.HasField("end_time") and run.HasField("start_time"):
        taken = run.end_time.ToNanoseconds() - run.start_time.ToNanoseconds()
        text += f" in {taken / 1e9:.1f} s"
    return text
