"""Ledgers line by line, with a running sum that ends on the board's score."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.style import Style
from rich.table import Table
from rich.text import Text

from laurel.common.v1 import types_pb2
from laurel.scoring.v1 import explanation_pb2
from laurel_cli.display.text import clean, factor, moment, points, words

_WHOLE = 10_000
_SHORT_SHA = 7


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
    urls: bool = False,
) -> Table:
    """The lines given, which may be the last of many; urls: addresses in full, not as links."""
    table = Table(
        title=Text(clean(title)), caption=Text(ledger_caption(header, lines)), box=box.SIMPLE_HEAD,
        title_justify="left", caption_justify="left", pad_edge=False,
    )  # fmt: skip
    for heading in ("when (UTC)", "what"):
        table.add_column(heading, no_wrap=True)
    table.add_column("where", overflow="fold", min_width=10)
    table.add_column("thing", overflow="fold", min_width=7)
    has_members = any(each.line.member_id for each in lines)
    if has_members:
        table.add_column("who", overflow="fold", min_width=10)
    has_places = any(each.line.day_position for each in lines)
    for heading in ("day", "week") if has_places else ():
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("why", min_width=16)
    has_penalties = any(each.line.penalty_e4 for each in lines)
    for heading in ("points", "penalty", "sum") if has_penalties else ("points", "sum"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in lines:
        line = each.line
        cells = [
            Text(moment(line.event_time)),
            Text(words(types_pb2.SignalType.Name(line.type), "SIGNAL_TYPE_")),
            Text(_where(line)),
            _thing(line, urls=urls),
            *([Text(clean(line.user_login) or f"id {line.member_id}")] if has_members else []),
            *(map(Text, _places(line)) if has_places else []),
            Text(reason(line)),
            Text(points(line.points_e4)),
            *([Text(points(line.penalty_e4) if line.penalty_e4 else "·")] * has_penalties),
            Text(points(each.sum_e4)),
        ]
        table.add_row(*cells, style="" if line.points_e4 else "dim")
    return table


def _where(line: explanation_pb2.LedgerLine) -> str:
    if not line.repository_id:
        return "(hidden)"
    return clean(line.repository_full_name.partition("/")[2]) or f"id {line.repository_id}"


def _thing(line: explanation_pb2.LedgerLine, *, urls: bool) -> Text:
    """A number or the beginning of a SHA, which a terminal shows as a link."""
    url = clean(line.html_url)
    if urls:
        return Text(url)
    shown = f"#{line.number}" if line.number else ""
    _, at_commit, sha = url.partition("/commit/")
    if at_commit:
        shown = sha[:_SHORT_SHA]
    return Text(shown, style=Style(link=url) if url else "")


def _places(line: explanation_pb2.LedgerLine) -> tuple[str, str]:
    """The place among the day's signals of its type, of how many that earn, and the week's."""
    day = str(line.day_position or "")
    if line.day_position and line.day_quota:
        day += f"/{line.day_quota}"
    return day, str(line.week_position or "")


def reason(line: explanation_pb2.LedgerLine) -> str:
    """How the points came about: base, then every factor and what it left, in the order of use."""
    outcome = explanation_pb2.Outcome.Name(line.outcome)
    if line.outcome == explanation_pb2.OUTCOME_DAILY_QUOTA:
        return f"daily_quota: {_ordinal(line.day_position)} of {line.day_quota} a day"
    if line.outcome != explanation_pb2.OUTCOME_EARNED:
        return words(outcome, "OUTCOME_")
    text = points(line.base_e4)
    steps = _steps(line)
    for number, (step, after_e4) in enumerate(steps, start=1):
        # The last one's points stand in a column of their own.
        text += f" x {step}" + (f" = {points(after_e4)}" if number < len(steps) else "")
    return text


def _steps(line: explanation_pb2.LedgerLine) -> list[tuple[str, int]]:
    steps = []
    if line.decay_e4 not in (0, _WHOLE):
        place = f"({_ordinal(line.week_position)} of the week)"
        steps.append((f"{factor(line.decay_e4)} {place}", line.points_after_decay_e4))
    steps += [
        (f"{factor(each.factor_e4)} {clean(each.kind)}", each.points_e4)
        for each in line.multipliers
    ]
    if line.type == types_pb2.SIGNAL_TYPE_REVIEW and line.review_state:
        state = words(types_pb2.ReviewState.Name(line.review_state), "REVIEW_STATE_")
        steps.append((f"{factor(line.review_weight_e4)} {state}", line.points_e4))
    return steps


def ledger_caption(header: explanation_pb2.ExplainScoreHeader, lines: Sequence[SummedLine]) -> str:
    """What the sum comes to, how much of the ledger is shown, and why it is not more."""
    whole = header.ledger_line_count or header.line_count
    shown = f"{len(lines)} of {whole:,} lines" if lines else "no lines"
    if len(lines) == whole:
        shown = f"all {whole:,} lines"
    version = f"version {header.version}, " if header.version else ""
    caption = (
        f"rank {header.rank} with {points(header.score_e4)} points, "
        f"{version}as of {moment(header.as_of)} UTC; {shown}"
    )
    return "\n".join([caption, *_members(header), *_withheld(header)])


def _members(header: explanation_pb2.ExplainScoreHeader) -> list[str]:
    if not header.members:
        return []
    shares = (
        f"{clean(each.user_login) or f'id {each.user_id}'} {points(each.score_e4)}"
        for each in header.members
    )
    return ["by member: " + ", ".join(shares)]


def _withheld(header: explanation_pb2.ExplainScoreHeader) -> list[str]:
    """One line that says what earned less than its base points, and why."""
    found = []
    for each in header.withheld:
        why = words(explanation_pb2.Outcome.Name(each.outcome), "OUTCOME_")
        if each.outcome == explanation_pb2.OUTCOME_EARNED:
            why = "diminishing returns"
        lost = f" (-{points(each.withheld_e4)})" if each.withheld_e4 else ""
        found.append(f"{each.signal_count} x {why}{lost}")
    if header.bot_signal_count:
        found.append(f"{header.bot_signal_count} x made by a bot")
    return ["kept from it, before multipliers: " + ", ".join(found)] if found else []


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
