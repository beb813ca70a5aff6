"""Ledgers line by line, with a running sum that ends on the board's score."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table
from rich.text import Text

from laurel.common.v1 import types_pb2
from laurel.scoring.v1 import explanation_pb2
from laurel_cli.display.text import clean, factor, moment, points, words

_WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class SummedLine:
    """A line and the score after it."""

    line: explanation_pb2.LedgerLine
    sum_e4: int


def summed(lines: Iterable[explanation_pb2.LedgerLine]) -> list[SummedLine]:
    """The lines with their running sum, in the order in which they were judged."""
    total, found = 0, []
    for line in lines:
        total += line.points_e4 + line.penalty_e4
        found.append(SummedLine(line, total))
    return found


def ledger_table(
    title: str,
    header: explanation_pb2.ExplainScoreHeader,
    lines: Sequence[SummedLine],
    *,
    repositories: Mapping[int, str],
    members: Mapping[int, str],
) -> Table:
    """The lines given, which may be the last of many; names are by id."""
    table = Table(
        title=Text(clean(title)), caption=Text(ledger_caption(header, lines)), box=box.SIMPLE_HEAD,
        title_justify="left", caption_justify="left", pad_edge=False,
    )  # fmt: skip
    for heading in ("when (UTC)", "what"):
        table.add_column(heading, no_wrap=True)
    table.add_column("where", overflow="fold", min_width=10)
    has_members = any(each.line.member_id for each in lines)
    if has_members:
        table.add_column("who", overflow="fold", min_width=10)
    table.add_column("why", min_width=16)
    has_penalties = any(each.line.penalty_e4 for each in lines)
    for heading in ("points", "penalty", "sum") if has_penalties else ("points", "sum"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in lines:
        line = each.line
        cells = [
            moment(line.event_time),
            words(types_pb2.SignalType.Name(line.type), "SIGNAL_TYPE_"),
            clean(repositories.get(line.repository_id, f"id {line.repository_id}")),
            reason(line),
            points(line.points_e4),
            *([points(line.penalty_e4) if line.penalty_e4 else "·"] if has_penalties else []),
            points(each.sum_e4),
        ]
        if has_members:
            cells.insert(3, clean(members.get(line.member_id, f"id {line.member_id}")))
        table.add_row(*map(Text, cells), style="" if line.points_e4 else "dim")
    return table


def reason(line: explanation_pb2.LedgerLine) -> str:
    """How the points came about: base, then every factor in the order of its use."""
    outcome = explanation_pb2.Outcome.Name(line.outcome)
    if line.outcome == explanation_pb2.OUTCOME_DAILY_QUOTA:
        return f"daily_quota: {_ordinal(line.day_position)} of {line.day_quota} a day"
    if line.outcome != explanation_pb2.OUTCOME_EARNED:
        return words(outcome, "OUTCOME_")
    parts = [points(line.base_e4)]
    if line.decay_e4 not in (0, _WHOLE):
        parts.append(f"{factor(line.decay_e4)} ({_ordinal(line.week_position)} of the week)")
    parts += [f"{factor(each.factor_e4)} {clean(each.kind)}" for each in line.multipliers]
    if line.type == types_pb2.SIGNAL_TYPE_REVIEW and line.review_state:
        state = words(types_pb2.ReviewState.Name(line.review_state), "REVIEW_STATE_")
        parts.append(f"{factor(line.review_weight_e4)} {state}")
    return " x ".join(parts)


def ledger_caption(header: explanation_pb2.ExplainScoreHeader, lines: Sequence[SummedLine]) -> str:
    """What the sum comes to, and how much of the ledger is shown."""
    shown = f"{len(lines)} of {header.line_count:,} lines" if lines else "no lines"
    if len(lines) == header.line_count:
        shown = f"all {header.line_count:,} lines"
    return (
        f"rank {header.rank} with {points(header.score_e4)} points, "
        f"version {header.version}, as of {moment(header.as_of)} UTC; {shown}"
    )


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
