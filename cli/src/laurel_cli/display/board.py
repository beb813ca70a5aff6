"""Boards as tables."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from laurel.common.v1 import types_pb2
from laurel.leaderboard.v1 import leaderboard_pb2
from laurel.scoring.v1 import range_pb2
from laurel_cli.display.text import clean, moment, points, words

_BREAKDOWN = (
    ("commits", "commits_e4"),
    ("PRs", "pull_requests_e4"),
    ("reviews", "reviews_e4"),
    ("issues", "issues_e4"),
    ("comments", "comments_e4"),
    ("penalties", "penalties_e4"),
)
_HEADINGS = {
    types_pb2.ENTITY_TYPE_CONTRIBUTOR: "contributor",
    types_pb2.ENTITY_TYPE_TEAM: "team",
    types_pb2.ENTITY_TYPE_REPOSITORY: "repository",
}


def board_table(
    title: str, answer: leaderboard_pb2.GetLeaderboardResponse, caption: str = ""
) -> Table:
    """One page of a board: places, whom, points, what they are made of."""
    kinds = {entry.entity.type for entry in answer.entries}
    has_history = any(entry.HasField("previous_rank") for entry in answer.entries)
    has_members = any(entry.HasField("member_count") for entry in answer.entries)
    below = Text(caption or board_caption(answer))
    table = Table(
        title=Text(clean(title)), caption=below, box=box.SIMPLE_HEAD,
        title_justify="left", caption_justify="left", pad_edge=False,
    )  # fmt: skip
    table.add_column("#", justify="right")
    if has_history:
        table.add_column("was", justify="right", style="dim")
    heading = next((_HEADINGS[kind] for kind in kinds if kind in _HEADINGS), "entity")
    table.add_column(heading, overflow="fold", min_width=12)
    if has_members:
        table.add_column("members", justify="right")
    table.add_column("score", justify="right", style="bold")
    for heading, _ in _BREAKDOWN:
        table.add_column(heading, justify="right")
    for entry in answer.entries:
        cells = [str(entry.rank), entity_name(entry.entity)]
        if has_history:
            cells.insert(1, _former(entry))
        if has_members:
            cells.append(str(entry.member_count))
        cells += [points(entry.score_e4), *_breakdown(entry)]
        table.add_row(*map(Text, cells))
    return table


def _former(entry: leaderboard_pb2.Entry) -> str:
    if not entry.HasField("previous_rank"):
        return "new"
    moved = entry.previous_rank - entry.rank
    mark = "=" if moved == 0 else ("▲" if moved > 0 else "▼")
    return f"{entry.previous_rank} {mark}"


def _breakdown(entry: leaderboard_pb2.Entry) -> list[str]:
    amounts = (getattr(entry.breakdown, field) for _, field in _BREAKDOWN)
    return [points(amount) if amount else "·" for amount in amounts]


def entity_name(entity: leaderboard_pb2.Entity) -> str:
    """Login and display name, or the id where nothing else is known; ids may be hidden too.

    One that begins with a tilde is none of GitHub's: it stands for one that is not known.
    """
    login, name = clean(entity.login), clean(entity.name)
    if name and login.startswith("~"):
        return name
    if not login:
        return f"id {entity.id}" if entity.id else "(hidden)"
    return login if not name or name.lower() == login.lower() else f"{login} ({name})"


def board_caption(answer: leaderboard_pb2.GetLeaderboardResponse) -> str:
    """Which version this is, how much is in it, how fresh it is and where it came from; below,
    how much of what GitHub has is known.
    """
    freshness = words(leaderboard_pb2.Freshness.Name(answer.freshness), "FRESHNESS_")
    source = words(leaderboard_pb2.Source.Name(answer.source), "SOURCE_")
    caption = (
        f"version {answer.version}, {answer.total_size:,} entries from "
        f"{answer.signal_count:,} signals, as of {moment(answer.as_of)} UTC, "
        f"{freshness}, from {source}"
    )
    return f"{caption}\n{clean(answer.coverage.line)}" if answer.coverage.line else caption


def board_title(what: str, account: str, scope: str, period: str) -> str:
    """A heading in words: "contributors of acme, team web, this month"."""
    where = f", {scope}" if scope and scope != "organization" else ""
    return f"{what} of {account}{where}, {period.replace('_', ' ')}"


def range_table(
    title: str, answer: range_pb2.ScoreRangeResponse, kind: types_pb2.EntityType.ValueType
) -> Table:
    """One page of a board over a range, as other boards are shown."""
    entries = [
        leaderboard_pb2.Entry(
            rank=each.rank,
            entity=leaderboard_pb2.Entity(type=kind, id=each.entity_id, login=each.entity_name),
            score_e4=each.score_e4,
            breakdown=each.breakdown,
            member_count=each.member_count if each.HasField("member_count") else None,
        )
        for each in answer.entries
    ]
    caption = (
        f"{answer.total_size:,} entries from {answer.signal_count:,} signals, computed when asked "
        f"for, by preset {answer.preset_id}"
    )
    return board_table(title, leaderboard_pb2.GetLeaderboardResponse(entries=entries), caption)


def next_page_hint(
    answer: leaderboard_pb2.GetLeaderboardResponse | range_pb2.ScoreRangeResponse,
) -> Sequence[str]:
    """How to get the next page, where there is one."""
    token = answer.next_page_token
    return [f"next page: --page-token {token}"] if token else []
