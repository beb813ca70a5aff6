"""Teams' results: the sums of their members' contributor results within a scope; and the members'
results on the teams' own boards, where they are those of the organization's.
"""

# Compiled code takes bare arrays, by position.
# mypy: allow-untyped-defs, allow-untyped-calls
# ruff: noqa: PLR0917

import numpy as np

from laurel_scoring.domain.columns import Flags, Int64s
from laurel_scoring.domain.compiling import compiled
from laurel_scoring.domain.grouping import TeamIndex
from laurel_scoring.domain.results import Rows


@compiled
def _count_teams(entity, board_start, team_at, team_of, teams):
    """Per board, how many teams have a listed member: the starts of the boards' rows."""
    seen_on = np.full(teams, -1, dtype=np.int64)
    start = np.zeros(len(board_start), dtype=np.int64)
    for board in range(len(board_start) - 1):
        listed = 0
        for row in range(board_start[board], board_start[board + 1]):
            for k in range(team_at[entity[row]], team_at[entity[row] + 1]):
                if seen_on[team_of[k]] != board:
                    seen_on[team_of[k]] = board
                    listed += 1
        start[board + 1] = start[board] + listed
    return start


@compiled
def _add_members(
    entity, breakdown, counts, lines, board_start, team_at, team_of, teams, start, results
):
    """Adds every listed member's row to the rows of his teams."""
    team, breakdowns, totals, changed = results
    row_of = np.empty(teams, dtype=np.int64)
    for board in range(len(board_start) - 1):
        row_of[:] = -1
        for row in range(board_start[board], board_start[board + 1]):
            for k in range(team_at[entity[row]], team_at[entity[row] + 1]):
                row_of[team_of[k]] = 0
        at = start[board]
        for number in range(teams):
            if row_of[number] == 0:
                row_of[number] = at
                team[at] = number
                at += 1
        for row in range(board_start[board], board_start[board + 1]):
            for k in range(team_at[entity[row]], team_at[entity[row] + 1]):
                to = row_of[team_of[k]]
                for part in range(breakdown.shape[1]):
                    breakdowns[to, part] += breakdown[row, part]
                for kind in range(counts.shape[1]):
                    totals[to, kind] += counts[row, kind]
                for side in range(2):
                    grown = np.int64(changed[to, side]) + np.int64(lines[row, side])
                    changed[to, side] = min(grown, 2_147_483_647)


def team_rows(members: Rows, index: TeamIndex) -> Rows:
    """The teams' rows on the boards of whose contributors `members` are the rows."""
    teams = len(index.ids)
    start = _count_teams(members.entity, members.board_start, index.team_at, index.team_of, teams)
    size = int(start[-1])
    rows = Rows(
        entity=np.zeros(size, dtype=np.int32),
        breakdown_e4=np.zeros((size, members.breakdown_e4.shape[1]), dtype=np.int64),
        counts=np.zeros((size, members.counts.shape[1]), dtype=np.int32),
        lines=np.zeros((size, 2), dtype=np.int32),
        board_start=start,
    )
    _add_members(
        members.entity,
        members.breakdown_e4,
        members.counts,
        members.lines,
        members.board_start,
        index.team_at,
        index.team_of,
        teams,
        start,
        (rows.entity, rows.breakdown_e4, rows.counts, rows.lines),
    )
    return rows


def members_rows(organization: Rows, index: TeamIndex, of: Flags) -> Rows:
    """The contributors' rows on the boards of the teams in `of` (a flag for each team), taken from
    the organization's: what somebody did within a team on all repositories is all that he did.
    """
    windows = len(organization.board_start) - 1
    window = np.repeat(np.arange(windows), np.diff(organization.board_start))
    first, end = index.team_at[organization.entity], index.team_at[organization.entity + 1]
    row = np.repeat(np.arange(len(organization)), end - first)
    ahead = np.cumsum(end - first) - (end - first)
    team = index.team_of[np.arange(len(row)) + np.repeat(first - ahead, end - first)]
    wanted = of[team]
    row, team = row[wanted], team[wanted]
    return _by_board(organization, row, team * windows + window[row], len(of) * windows)


def joined_rows(one: Rows, other: Rows) -> Rows:
    """The rows of both, which have the same boards, none of them rows in both."""
    both = Rows(
        np.concatenate([one.entity, other.entity]),
        np.concatenate([one.breakdown_e4, other.breakdown_e4]),
        np.concatenate([one.counts, other.counts]),
        np.concatenate([one.lines, other.lines]),
        one.board_start,
    )
    boards = len(one.board_start) - 1
    board = np.concatenate(
        [np.repeat(np.arange(boards), np.diff(each.board_start)) for each in (one, other)]
    )
    return _by_board(both, np.arange(len(board)), board, boards)


def _by_board(rows: Rows, taken: Int64s, board: Int64s, boards: int) -> Rows:
    """Some of the rows, each on the board that is named for it, otherwise in their order."""
    order = np.argsort(board, kind="stable")
    start = np.zeros(boards + 1, dtype=np.int64)
    np.cumsum(np.bincount(board, minlength=boards), out=start[1:])
    chosen = taken[order]
    return Rows(
        rows.entity[chosen],
        rows.breakdown_e4[chosen],
        rows.counts[chosen],
        rows.lines[chosen],
        start,
    )
