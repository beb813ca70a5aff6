"""What of a scope is known, in words and numbers."""

from datetime import UTC, datetime
from typing import Any

import pytest

from laurel_ingest.domain.history.coverage import (
    CoverageSummary,
    GapReason,
    RepositoryState,
    summarize,
)

AT = datetime(2026, 2, 1, 11, 58, 30, tzinfo=UTC)


def state(number: int = 1, **changes: Any) -> RepositoryState:
    return RepositoryState(number, **{"is_read": True, "known": 10, "total": 10, **changes})


@pytest.mark.parametrize(
    ("changes", "gaps"),
    [
        pytest.param({}, {}, id="read whole"),
        pytest.param({"is_read": False}, {GapReason.NEVER_READ: None}, id="never read"),
        pytest.param({"trouble": "GONE"}, {GapReason.NO_ACCESS: None}, id="gone"),
        pytest.param(
            {"trouble": "INSTALLATION_SUSPENDED", "is_read": False},
            {GapReason.NO_ACCESS: None},
            id="suspended before it was read",
        ),
        pytest.param({"trouble": "MALFORMED"}, {GapReason.UNREADABLE: None}, id="unreadable"),
        pytest.param({"trouble": "GITHUB_UNAVAILABLE"}, {GapReason.UNREADABLE: None}, id="failing"),
        pytest.param(
            {"is_waiting": True, "is_read": False},
            {GapReason.NEVER_READ: None, GapReason.RATE_LIMITED: None},
            id="waiting",
        ),
        pytest.param(
            {"lacks": {"push_truncated": AT, "pull_request_without_author": AT}},
            {GapReason.PULL_REQUEST_WITHOUT_AUTHOR: AT, GapReason.PUSH_TRUNCATED: AT},
            id="sources that show less than happened",
        ),
        pytest.param(
            {"lacks": {"push_without_commits": AT, "history_rewritten": AT}},
            {GapReason.HISTORY_REWRITTEN: AT, GapReason.PUSH_WITHOUT_COMMITS: AT},
            id="pushes without commits, and a forced one",
        ),
        pytest.param(
            {"lacks": {"delivery_lost": AT}}, {GapReason.DELIVERY_LOST: AT}, id="a lost webhook"
        ),
    ],
)
def test_a_gap_has_a_reason(
    changes: dict[str, Any], gaps: dict[GapReason, datetime | None]
) -> None:
    assert state(**changes).gaps() == gaps


@pytest.mark.parametrize(
    ("states", "line"),
    [
        pytest.param([], "nothing is known yet", id="none"),
        pytest.param(
            [state()],
            "whole, 10 of 10 commits, pull requests and issues; last event 2026-02-01 11:58 UTC",
            id="one",
        ),
        pytest.param(
            [state(trouble="GONE", known=0, total=0)],
            "not whole; without access; last event 2026-02-01 11:58 UTC",
            id="one with a gap",
        ),
        pytest.param(
            [
                state(1, known=1_190, total=1_200),
                *(state(number, is_read=False, known=0, total=0) for number in (2, 3)),
                state(4, trouble="GONE"),
            ],
            "1 of 4 repositories whole, 1,200 of 1,210 commits, pull requests and issues;"
            " 2 never read, 1 without access; last event 2026-02-01 11:58 UTC",
            id="several",
        ),
    ],
)
def test_a_scope_is_summed_up_in_a_line(states: list[RepositoryState], line: str) -> None:
    summary = summarize(states, AT if states else None)
    assert summary.line() == line


def test_every_gap_has_words() -> None:
    gaps = dict.fromkeys(GapReason, 1)
    line = CoverageSummary(9, 1, 0, 0, gaps, None).line()
    assert line.count(",") == len(GapReason) - 1
