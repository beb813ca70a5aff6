"""Of which repositories a run asks for the newest pages, and which ETags are worth keeping."""

import pytest

from laurel_ingest.domain.history.newest import (
    REQUESTS_A_RUN,
    Etags,
    Glance,
    NewestList,
    mark_of,
    usable,
    watched,
)
from laurel_ingest.domain.history.progress import Known, Phase, Progress

MANY = range(1, 1_001)


@pytest.mark.parametrize(
    ("probes", "held", "changed", "chosen"),
    [
        pytest.param(1, {}, [(5, 50), (6, 60)], {5, 6}, id="a few that changed"),
        pytest.param(20, {}, [(one, one) for one in MANY], {997, 998, 999, 1000}, id="the busiest"),
        pytest.param(20, {one: one for one in MANY}, [], {997, 998, 999, 1000}, id="the youngest"),
        pytest.param(25, {1: 1, 2: 2}, [(2, 9), (3, 8), (4, 7)], {1, 2, 3}, id="those held first"),
        pytest.param(500, {}, [(one, one) for one in MANY], {999, 1000}, id="two at least"),
        pytest.param(1, {}, [], set(), id="none"),
    ],
)
def test_a_run_asks_for_as_many_as_there_is_room_for(
    probes: int, held: dict[int, int], changed: list[tuple[int, int]], chosen: set[int]
) -> None:
    assert watched(probes, held, changed) == chosen


@pytest.mark.parametrize("probes", range(1, 32))
def test_what_is_unchanged_costs_no_more_than_it_may(probes: int) -> None:
    chosen = watched(probes, {one: one for one in MANY}, [])
    assert probes + len(chosen) * len(NewestList) <= max(REQUESTS_A_RUN, probes + 10)


@pytest.mark.parametrize(
    ("etag", "kept"),
    [('W/"a"', 'W/"a"'), ('"a"', '"a"'), (None, None), ("", None), ("a" * 201, None)],
)
def test_an_etag_is_kept_as_it_is_or_not_at_all(etag: str | None, kept: str | None) -> None:
    assert usable(etag) == kept


def test_a_mark_tells_tokens_apart_and_holds_none() -> None:
    assert mark_of("ghs_one") == mark_of("ghs_one") != mark_of("ghs_other")
    assert "ghs" not in mark_of("ghs_one")


def test_a_glance_is_kept_while_a_repository_is_read_and_begun_anew() -> None:
    glance = Glance(Etags("mark", {"pulls": 'W/"a"'}), frozenset({"commits", "pulls"}))
    progress = Progress(7, Phase.ISSUES, glance=glance)
    assert Progress.from_json(progress.to_json()) == progress
    assert progress.anew(9, Known()).glance == glance
    before_there_were_any = {k: v for k, v in Progress(7).to_json().items() if k != "glance"}
    assert Progress.from_json(before_there_were_any) == Progress(7)
