"""Which repositories are looked through whole, and when their turn has come: a pure rule.

Some changes leave no trace that a probe could see: a comment that is deleted, minimized or shown
again, a dismissed review, a lock.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from laurel_ingest.domain.history.progress import PAGE_SIZES, Known, Phase, Probe

# A week, less what a day's run may be early.
_AGAIN_AFTER: Final = int(timedelta(days=6, hours=12).total_seconds())
REQUESTS_A_TURN: Final = 200
"""What a day's run spends on it for an installation; one repository may take more by itself."""


def turns(probes: Iterable[Probe], known: Mapping[int, Known], now: int) -> set[int]:
    """The repositories whose turn it is, those that waited longest, as many as there is room for;
    before all of them those that a lost webhook was about since their last turn.

    One that no run has read whole is read whole anyway.
    """
    waiting = [
        (_since(known[probe.repository_id]), probe.repository_id, probe)
        for probe in probes
        if probe.repository_id in known
    ]
    chosen: set[int] = set()
    left = REQUESTS_A_TURN
    for since, repository_id, probe in sorted(waiting, key=lambda each: each[:2]):
        left -= _requests(probe)
        if since > now - _AGAIN_AFTER or (chosen and left < 0):
            break
        chosen.add(repository_id)
    return chosen


def _since(known: Known) -> int:
    """When its last turn was; before all times where it may have missed something since."""
    looked_through_at = known.looked_through_at or 0
    return -1 if (known.lost_at or 0) > looked_through_at else looked_through_at


def _requests(probe: Probe) -> int:
    pulls = -(-probe.pulls_total // PAGE_SIZES[Phase.ALL_PULLS])
    issues = -(-probe.issues_total // PAGE_SIZES[Phase.ALL_ISSUES])
    return max(1, pulls) + max(1, issues)
