"""Previews as tables: who moves, and because of which rule."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from laurel.scoring.v1 import preview_pb2
from laurel_cli.display.text import clean, moment, points


def preview_table(
    title: str,
    header: preview_pb2.PreviewRulesHeader,
    entries: Sequence[preview_pb2.PreviewEntry],
) -> Table:
    """Both boards side by side, by the candidate's ranks."""
    table = Table(
        title=Text(clean(title)), caption=Text(preview_caption(header, len(entries))),
        box=box.SIMPLE_HEAD, title_justify="left", caption_justify="left", pad_edge=False,
    )  # fmt: skip
    for heading in ("now", "then", "moves"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("entity", overflow="fold", min_width=12)
    for heading in ("score now", "score then", "difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    for entry in entries:
        name = clean(entry.entity_name) or (
            f"id {entry.entity_id}" if entry.entity_id else "(hidden)"
        )
        cells = [
            str(entry.current_rank) if entry.HasField("current_rank") else "·",
            str(entry.rank) if entry.HasField("rank") else "·",
            _move(entry),
            name,
            points(entry.current_score_e4) if entry.HasField("current_score_e4") else "·",
            points(entry.score_e4) if entry.HasField("score_e4") else "·",
            _signed(entry.score_gain_e4),
        ]
        table.add_row(*map(Text, cells), style="" if entry.score_gain_e4 else "dim")
    return table


def effects_table(header: preview_pb2.PreviewRulesHeader) -> Table:
    """What each changed rule moves, in the order in which rules apply."""
    table = Table(
        title=Text("What each changed rule moves"), box=box.SIMPLE_HEAD,
        title_justify="left", pad_edge=False,
    )  # fmt: skip
    table.add_column("rule")
    for heading in ("scores", "moved", "net"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in header.effects:
        cells = [
            clean(each.field).removeprefix("rules."),
            f"{each.entity_count:,}",
            points(each.moved_e4),
            _signed(each.points_e4),
        ]
        table.add_row(*map(Text, cells), style="" if each.moved_e4 else "dim")
    return table


def preview_caption(header: preview_pb2.PreviewRulesHeader, shown: int) -> str:
    """What comes of it on the whole."""
    lines = [
        f"{header.moved_count:,} of {header.current_size:,} change their rank, "
        f"{header.entered_count:,} enter, {header.left_count:,} leave, "
        f"{header.top_entered_count:,} come into the first {header.top_size:,}",
        f"all scores {points(header.current_total_e4)} now, "
        f"{points(header.candidate_total_e4)} then; {header.signal_count:,} signals, "
        f"as of {moment(header.as_of)} UTC; nothing is stored",
    ]
    whole = header.candidate_size + header.left_count
    if shown < whole:
        lines.append(f"the first {shown:,} of {whole:,}; --limit shows more")
    return "\n".join(lines)


def _move(entry: preview_pb2.PreviewEntry) -> str:
    if not entry.HasField("current_rank"):
        return "enters"
    if not entry.HasField("rank"):
        return "leaves"
    gain = entry.rank_gain
    return "=" if gain == 0 else f"▲{gain}" if gain > 0 else f"▼{-gain}"


def _signed(e4: int) -> str:
    return f"+{points(e4)}" if e4 > 0 else points(e4) if e4 else "·"
