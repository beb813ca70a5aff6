"""Runs of signals in, rows of results or ledger lines out: the compiled pass and its arrays."""

# The compiled functions are untyped; what goes in and out of them is typed here.
# mypy: allow-untyped-calls

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laurel_scoring.domain import kernel
from laurel_scoring.domain.columns import Int64s
from laurel_scoring.domain.grouping import Runs
from laurel_scoring.domain.parallel import in_parts
from laurel_scoring.domain.periods import Windows
from laurel_scoring.domain.results import Rows
from laurel_scoring.domain.rule_tables import RuleTables
from laurel_scoring.domain.rules import RuleSet
from laurel_scoring.domain.timeline import Timeline
from laurel_scoring.domain.vocabulary import Category, Outcome, SignalType


def evaluate_runs(
    timeline: Timeline, runs: Runs, rules: RuleSet, windows: Windows, *, scopes: int, limited: bool
) -> Rows:
    """Evaluates `runs` over `scopes` scopes in every window.

    limited: with daily quota and diminishing returns, as people are scored; repositories are
    scored without. An entity is listed on a board where its window holds a signal of its.
    """
    positions = _positions(timeline, windows, limited=limited)
    row_of, board_start = _place(runs, positions[0], scopes)
    size = int(board_start[-1])
    breakdown = np.empty((size, len(Category)), dtype=np.int64)
    counts = np.empty((size, len(SignalType)), dtype=np.int32)
    lines = np.empty((size, 2), dtype=np.int32)
    no_ledger = np.empty((0, kernel.LEDGER_COLUMNS), dtype=np.int64)
    tables = tuple(RuleTables.of(rules))
    prices = kernel.price_list(tables)

    def evaluate(first: int, end: int) -> None:
        kernel.evaluate(
            timeline.words,
            runs.order,
            runs.start[first : end + 1],
            positions,
            row_of[first:end],
            np.int64(limited),
            tables,
            prices,
            (breakdown, counts, lines),
            no_ledger,
        )

    in_parts(evaluate, runs.start)
    entity = np.empty(size, dtype=np.int32)
    for window in range(len(windows.starts)):
        listed = row_of[:, window] >= 0
        entity[row_of[listed, window]] = runs.entity[listed]
    return Rows(entity, breakdown, counts, lines, board_start)


def explain_runs(
    timeline: Timeline, runs: Runs, rules: RuleSet, window: Windows, *, limited: bool
) -> "Ledger":
    """The ledger of `runs` in the one window that `window` holds."""
    ledger = np.zeros((len(runs.order), kernel.LEDGER_COLUMNS), dtype=np.int64)
    ledger[:, kernel.OUTCOME] = -1
    row_of = np.full((len(runs), 1), -1, dtype=np.int64)
    nothing = (
        np.empty((0, len(Category)), dtype=np.int64),
        np.empty((0, len(SignalType)), dtype=np.int32),
        np.empty((0, 2), dtype=np.int32),
    )
    tables = tuple(RuleTables.of(rules))
    kernel.evaluate(
        timeline.words,
        runs.order,
        runs.start,
        _positions(timeline, window, limited=limited),
        row_of,
        np.int64(limited),
        tables,
        kernel.price_list(tables),
        nothing,
        ledger,
    )
    inside = ledger[:, kernel.OUTCOME] >= 0
    entity = np.repeat(runs.entity, np.diff(runs.start))
    return Ledger(runs.order[inside], entity[inside], ledger[inside])


@dataclass(frozen=True)
class Ledger:
    """What became of each signal, in the order in which it was judged; m lines.

    position: the signal's position. entity: whose line it is. Every column below is int64,
    amounts in ten-thousandths. A step that a signal did not reach leaves 0.
    """

    position: npt.NDArray[np.int32]
    entity: npt.NDArray[np.int32]
    lines: Int64s

    def __len__(self) -> int:
        return len(self.position)

    def column(self, number: int) -> Int64s:
        """One column of the lines, by its number in kernel.py."""
        return self.lines[:, number]

    def select(self, keep: npt.NDArray[np.bool_]) -> "Ledger":
        """The lines where `keep` is true."""
        return Ledger(self.position[keep], self.entity[keep], self.lines[keep])

    def total_e4(self) -> int:
        """Points and penalties of all lines."""
        return int(self.column(kernel.POINTS).sum() + self.column(kernel.PENALTY).sum())

    def outcomes(self) -> list[Outcome]:
        """The outcome of each line."""
        return [Outcome(number) for number in self.column(kernel.OUTCOME).tolist()]


def _positions(timeline: Timeline, windows: Windows, *, limited: bool) -> tuple[Int64s, Int64s]:
    """The position of each window's first signal, and of the first one from which on it agrees
    with all wider windows on everything that came before in the same day and week.
    """
    when, starts = timeline.event_timestamp, windows.start_array()
    first = np.searchsorted(when, starts, side="left")
    if not limited:
        return first, first
    return first, np.searchsorted(when, windows.following_weeks(), side="left")


def _place(runs: Runs, first: Int64s, scopes: int) -> tuple[Int64s, Int64s]:
    """Where each run's result in each window goes (-1: nowhere), and where boards begin.

    Within a board the rows keep the order of the runs: ascending by entity.
    """
    windows = len(first)
    if len(runs) == 0:
        return np.empty((0, windows), np.int64), np.zeros(scopes * windows + 1, np.int64)
    newest = runs.order[runs.start[1:] - 1]
    listed = newest[:, None] >= first[None, :]
    up_to = np.zeros((len(runs) + 1, windows), dtype=np.int64)
    np.cumsum(listed, axis=0, out=up_to[1:])
    first_run = np.searchsorted(runs.scope, np.arange(scopes + 1))
    before = up_to[first_run]
    sizes = np.diff(before, axis=0)
    board_start = np.zeros(scopes * windows + 1, dtype=np.int64)
    np.cumsum(sizes.ravel(), out=board_start[1:])
    offset = board_start[:-1].reshape(scopes, windows) - before[:-1]
    row_of = np.where(listed, up_to[:-1] + offset[runs.scope], -1)
    return row_of, board_start
