"""Whose turn it is to be looked through whole."""

from dataclasses import replace

import pytest

from laurel_ingest.domain.facts import CommentFact, says_more
from laurel_ingest.domain.history.look_through import REQUESTS_A_TURN, turns
from laurel_ingest.domain.history.progress import Known, Probe
from laurel_ingest.domain.registers import Said, Standing

NOW, DAY = 1_800_000_000, 86_400


def probe(repository_id: int, pulls: int = 10, issues: int = 10) -> Probe:
    return Probe(repository_id, f"acme/r{repository_id}", False, "main", "a", 1, 1, pulls, issues)


def known(*days: int | None) -> dict[int, Known]:
    """Repositories 1, 2, … by how many days ago each had its turn."""
    times = (None if each is None else NOW - each * DAY for each in days)
    return {place: Known(looked_through_at=at) for place, at in enumerate(times, 1)}


def lost(before: dict[int, Known], repository_id: int, ago: int = 60) -> dict[int, Known]:
    """The same with a webhook about a repository that was lost some seconds ago."""
    return before | {repository_id: replace(before[repository_id], lost_at=NOW - ago)}


HUGE = 30 * REQUESTS_A_TURN


@pytest.mark.parametrize(
    ("before", "pulls", "chosen"),
    [
        pytest.param(known(None, 8, 7), {}, {1, 2, 3}, id="a week has gone by"),
        pytest.param(known(None, 6, 0), {}, {1}, id="others have had theirs"),
        pytest.param(known(7, 9, 8), {2: HUGE}, {2}, id="one may take the day by itself"),
        pytest.param(known(9, 8, 7), {2: HUGE}, {1}, id="one that is too large waits for its day"),
        pytest.param({}, {}, set(), id="none has been read yet"),
        pytest.param(lost(known(9, 1, 1), 3), {3: HUGE}, {3}, id="a webhook was lost since"),
        pytest.param(lost(known(1, 1, 1), 3, 2 * DAY), {}, set(), id="lost before its last turn"),
    ],
)
def test_those_that_waited_longest_have_their_turn(
    before: dict[int, Known], pulls: dict[int, int], chosen: set[int]
) -> None:
    probes = [probe(each, pulls.get(each, 10)) for each in (1, 2, 3)]
    assert turns(probes, before, NOW) == chosen


def test_a_day_costs_no_more_requests_than_it_may_whatever_the_number_of_repositories() -> None:
    probes = [probe(each) for each in range(1, 1_001)]
    before = known(*([None] * 1_000))
    turned: list[int] = []
    for _ in range(10):
        chosen = turns(probes, before, NOW)
        assert len(chosen) * 2 <= REQUESTS_A_TURN
        turned += chosen
        before |= {each: Known(looked_through_at=NOW) for each in chosen}
    assert sorted(turned) == list(range(1, 1_001))


SHOWN = CommentFact(
    1, "7", standing=3, author=Said(3, 50, [5, False]), is_spam=Said(Standing.BEST, 60, False)
)


@pytest.mark.parametrize(
    ("told", "more"),
    [
        pytest.param(SHOWN, False, id="the same"),
        pytest.param(
            replace(SHOWN, is_spam=Said(3, NOW, False)), False, id="still the same by now"
        ),
        pytest.param(replace(SHOWN, is_spam=Said(3, NOW, True)), True, id="minimized"),
        pytest.param(replace(SHOWN, author=Said(3, 70, [6, False])), True, id="another author"),
        pytest.param(replace(SHOWN, created_at=Said(3, 50, 50)), True, id="what was left open"),
    ],
)
def test_what_was_only_looked_at_again_says_nothing_more(told: CommentFact, more: bool) -> None:
    assert says_more(SHOWN, told, NOW) is more
