"""How far back a walk goes: whatever is new is met, and nothing behind what is known."""

import random

import pytest

from laurel_ingest.domain.history.commits import Walk
from laurel_ingest.domain.json_values import JsonObject
from tests.support.github.activity import Activity, oid_of
from tests.support.github.history import BEGINNING


def walked(activity: Activity, walk: Walk, known: set[str], size: int = 3) -> tuple[Walk, set[str]]:
    """Walks from the head in pages; answers the walk and every commit of its pages."""
    history = activity.history(activity.head or "")
    met: set[str] = set()
    for start in range(0, len(history), size):
        if walk.is_done:
            break
        page = history[start : start + size]
        nodes: list[JsonObject] = [
            {
                "oid": one.oid,
                "parents": {
                    "totalCount": len(one.parents),
                    "nodes": [{"oid": oid} for oid in one.parents],
                },
            }
            for one in page
        ]
        walk = walk.step(nodes, known, met)
        met |= {one.oid for one in page}
    return walk, met


def line(length: int) -> Activity:
    activity = Activity()
    for place in range(length):
        activity.commit(f"c{place}", BEGINNING.replace(minute=place))
    return activity


def test_a_first_walk_goes_to_the_end() -> None:
    activity = line(10)
    walk, met = walked(activity, Walk.from_head(oid_of("c9"), None), set())
    assert len(met) == 10
    assert not walk.is_done


def test_a_walk_from_a_known_head_has_nothing_to_meet() -> None:
    walk = Walk.from_head("a" * 40, "a" * 40).step([], {"a" * 40}, set())
    assert walk.is_done
    assert walk.met_old_head


def test_a_branch_that_was_merged_late_is_met_although_it_is_older() -> None:
    activity = line(2)
    known = set(activity.commits)
    old = activity.head or ""
    side = [
        activity.commit(
            f"s{n}", BEGINNING.replace(hour=1, minute=n), *([] if n else [oid_of("c0")])
        )
        for n in range(4)
    ]
    activity.commit("merge", BEGINNING.replace(hour=23), old, side[-1].oid)
    walk, met = walked(activity, Walk.from_head(activity.head or "", old), known)
    assert walk.is_done
    assert walk.met_old_head
    assert {one.oid for one in side} <= met


def test_a_forced_push_does_not_meet_the_old_head() -> None:
    activity = line(6)
    known, old = set(activity.commits), activity.head or ""
    activity.commit("other", BEGINNING.replace(hour=2), oid_of("c3"))
    walk, _ = walked(activity, Walk.from_head(activity.head or "", old), known)
    assert walk.is_done
    assert not walk.met_old_head


def test_a_reset_to_an_older_commit_does_not_meet_the_old_head() -> None:
    activity = line(6)
    known, old = set(activity.commits), activity.head or ""
    activity.head = oid_of("c2")
    walk, _ = walked(activity, Walk.from_head(activity.head, old), known)
    assert walk.is_done
    assert not walk.met_old_head


def test_a_commit_with_more_parents_than_are_named_sends_the_walk_to_the_end() -> None:
    node = {"oid": "b" * 40, "parents": {"totalCount": 12, "nodes": [{"oid": "c" * 40}]}}
    walk = Walk.from_head("b" * 40, "a" * 40).step([node], set(), set())
    assert walk.open is None


@pytest.mark.parametrize("seed", range(60))
def test_any_history_is_met_whole_from_any_known_head(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a story, no secret
    activity = Activity()
    names: list[str] = []
    for place in range(draw.randrange(2, 40)):
        # Clocks of authors go as they like.
        at = BEGINNING.replace(hour=draw.randrange(24), minute=draw.randrange(60))
        parents = draw.sample(names, min(len(names), draw.choice([1, 1, 1, 2])))
        made = activity.commit(f"c{place}", at, *parents)
        names.append(made.oid)
    old = draw.choice(names)
    known = {one.oid for one in activity.history(old)}
    reachable = {one.oid for one in activity.history(activity.head or "")}
    start = Walk.from_head(activity.head or "", old)
    walk, met = walked(activity, start, known, draw.randrange(1, 6))
    assert walk.is_done
    assert reachable - known <= met
    assert walk.met_old_head == (old in reachable)
