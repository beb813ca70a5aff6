"""The lines of a ledger by themselves, cut loose from the columns that they were made of."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from laurel_scoring.domain import kernel
from laurel_scoring.domain.columns import Bytes, Flags, Int32s, Int64s, Signals
from laurel_scoring.domain.evaluation import Ledger
from laurel_scoring.domain.rule_tables import RuleTables
from laurel_scoring.domain.rules import RuleSet
from laurel_scoring.domain.timeline import Timeline
from laurel_scoring.domain.vocabulary import ONE, Outcome, SignalType


@dataclass(frozen=True)
class LedgerLines:
    """What signals said and what became of them; m lines, in the order of judgement.

    steps: m x LEDGER_COLUMNS, as kernel.py numbers them. user_id, repository_id: GitHub's ids.
    withheld_e4: base points that rules kept from the signal, before multipliers and weights.
    The rest as in Signals.
    """

    event_timestamp: Int64s
    type: Bytes
    user_id: Int64s
    repository_id: Int64s
    value_e4: Int32s
    review_state: Bytes
    additions: Int32s
    deletions: Int32s
    content_hash: Bytes
    steps: Int64s
    withheld_e4: Int64s

    def __len__(self) -> int:
        return len(self.event_timestamp)

    def points_e4(self) -> Int64s:
        """What each line adds to the score, penalty included."""
        added: Int64s = self.steps[:, kernel.POINTS] + self.steps[:, kernel.PENALTY]
        return added

    def passing(
        self, outcomes: Collection[Outcome] = (), types: Collection[SignalType] = ()
    ) -> "LedgerLines":
        """The lines of these outcomes and types; none given means all."""
        keep: Flags = np.ones(len(self), dtype=np.bool_)
        if outcomes:
            keep &= np.isin(self.steps[:, kernel.OUTCOME], [int(each) for each in outcomes])
        if types:
            keep &= np.isin(self.type, [int(each) for each in types])
        return LedgerLines(**{name: column[keep] for name, column in vars(self).items()})


def lines_of(ledger: Ledger, timeline: Timeline, signals: Signals, rules: RuleSet) -> LedgerLines:
    """The lines of `ledger`, copied out of the signals that `timeline` was made of."""
    rows = timeline.source[ledger.position]
    kind, value = signals.type[rows], signals.value_e4[rows]
    return LedgerLines(
        event_timestamp=signals.event_timestamp[rows],
        type=kind,
        user_id=signals.users[signals.user[rows]],
        repository_id=signals.repositories[signals.repository[rows]],
        value_e4=value,
        review_state=signals.review_state[rows],
        additions=signals.additions[rows],
        deletions=signals.deletions[rows],
        content_hash=signals.content_hash[rows],
        steps=ledger.lines,
        withheld_e4=_withheld(ledger, kind, value, rules),
    )


def _withheld(ledger: Ledger, kind: Bytes, value: Int32s, rules: RuleSet) -> Int64s:
    """All base points where nothing was earned, else what diminishing returns took."""
    base_points = RuleTables.of(rules).base_points[kind]
    # As kernel.mul, for what is never negative and fits: 10^8 x 10^7.
    base: Int64s = (base_points * value + ONE // 2) // ONE
    earned = ledger.column(kernel.OUTCOME) == int(Outcome.EARNED)
    cut = ledger.column(kernel.BASE) - ledger.column(kernel.AFTER_DECAY)
    return np.where(earned, cut, base)


@dataclass(frozen=True)
class Withheld:
    """Why a score is not higher: how many signals a reason concerns, and the base points that
    it kept from them. EARNED stands for those that diminishing returns cut.
    """

    outcome: Outcome
    signal_count: int
    withheld_e4: int


def withheld_by_outcome(lines: LedgerLines) -> list[Withheld]:
    """The reasons that concern any of `lines`."""
    found = []
    outcomes = lines.steps[:, kernel.OUTCOME]
    for outcome in Outcome:
        concerned = outcomes == int(outcome)
        if outcome is Outcome.EARNED:
            concerned &= lines.withheld_e4 > 0
        count = int(np.count_nonzero(concerned))
        if count:
            found.append(Withheld(outcome, count, int(lines.withheld_e4[concerned].sum())))
    return found


@dataclass(frozen=True)
class MemberScore:
    """What one member brought to a team's score."""

    user_id: int
    score_e4: int
    line_count: int


def member_scores(lines: LedgerLines) -> list[MemberScore]:
    """The members that have lines, highest score first, then by id."""
    ids, place = np.unique(lines.user_id, return_inverse=True)
    score = np.zeros(len(ids), dtype=np.int64)
    np.add.at(score, place, lines.points_e4())
    count = np.bincount(place, minlength=len(ids))
    best = np.argsort(-score, kind="stable")
    return [
        MemberScore(*row)
        for row in zip(ids[best].tolist(), score[best].tolist(), count[best].tolist(), strict=True)
    ]
