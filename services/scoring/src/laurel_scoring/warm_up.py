"""Compiles the engine, or loads what was compiled before: done once, before the first call."""

import numpy as np

from laurel_scoring.domain.columns import Signals
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.explanation import explain
from laurel_scoring.domain.merging import SignalChanges, merged
from laurel_scoring.domain.periods import Windows
from laurel_scoring.domain.roster import Roster, Team
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.domain.timeline import Timeline
from laurel_scoring.domain.vocabulary import EntityType, ScopeType, TimePeriod


def warm_up() -> None:
    """Scores one signal in every way, and changes it, so that every compiled function is there.

    Seconds where nothing was compiled before, else a fraction of one.
    """
    one = np.ones(1, dtype=np.int64)
    zero = np.zeros(1, dtype=np.int32)
    signals = Signals(
        event_timestamp=one,
        type=np.zeros(1, dtype=np.uint8),
        user=zero,
        repository=zero,
        value_e4=np.full(1, 10_000, dtype=np.int32),
        flags=np.zeros(1, dtype=np.uint16),
        review_state=np.zeros(1, dtype=np.uint8),
        additions=zero,
        deletions=zero,
        content_hash=np.zeros((1, 32), dtype=np.uint8),
        users=one,
        repositories=one,
    )
    roster = Roster(1, frozenset({1}), (Team(1, frozenset({1})),))
    timeline = Timeline.of(signals)
    for _ in Evaluation(timeline, roster, DEFAULT_RULES, Windows.of_periods(1)).families():
        pass
    window = Windows.of_periods(1, [TimePeriod.ALL_TIME])
    evaluation = Evaluation(timeline, roster, DEFAULT_RULES, window)
    explain(evaluation, ScopeType.ORGANIZATION, 1, EntityType.CONTRIBUTOR, 1)
    merged(signals, SignalChanges(signals, signals.content_hash, one))


if __name__ == "__main__":
    warm_up()
