"""Commits of a clone: merges, squashes, who came by which pull request, who gets which lines."""

from typing import Any

import pytest

from laurel_ingest.application.batch_facts import BatchFacts
from laurel_ingest.domain import git_records
from laurel_ingest.domain.credits import signals_of
from laurel_ingest.domain.findings import Owner
from laurel_ingest.domain.linking import RepositoryFacts
from laurel_ingest.domain.refusals import MalformedError, Skip
from laurel_ingest.domain.signals import Flag, Signal
from tests.support.ingest_builders import record, sha


def signals(*records: dict[str, Any]) -> list[Signal]:
    walk, told = git_records.MergeWalk(), BatchFacts()
    for raw in records:
        told.add(git_records.findings_of(raw, 500, walk), 500, "acme/rocket", Owner("acme"))
    known = RepositoryFacts.of(told.facts.values())
    some = [signals_of(fact, known, {}) for fact in told.facts.values()]
    return [each for one in some if not isinstance(one, Skip) for each in one]


def pulls(*records: dict[str, Any]) -> dict[str, int | None]:
    """Commit's SHA → the pull request that brought it, of those that count."""
    return {each.identity: each.number for each in signals(*records)}


def merge(seed: str, first: str, second: str, number: int | None = 5) -> dict[str, Any]:
    message = f"Merge pull request #{number} from a/b" if number else "Merge branch 'x'"
    return record(seed, [first, second], message=message)


HISTORIES = [
    pytest.param(
        [merge("m", "a", "c"), record("c", ["b"]), record("b", ["a"]), record("a")],
        {"c": 5, "b": 5, "a": None},
        id="a branch of two commits",
    ),
    pytest.param(
        [merge("m", "a", "c", None), record("c", ["a"]), record("a")],
        {"c": None, "a": None},
        id="a branch merged without a pull request",
    ),
    pytest.param(
        [
            merge("m2", "m1", "d", 6),
            record("d", ["c"]),
            merge("m1", "a", "c", 5),
            record("c", ["a"]),
            record("a"),
        ],
        {"d": 6, "c": 5, "a": None},
        id="what an older merge brought is the older one's",
    ),
    pytest.param(
        [
            merge("m2", "n", "back", 6),
            merge("back", "d", "m1", None),
            record("d", ["a"]),
            record("n", ["m1"]),
            merge("m1", "a", "c", 5),
            record("c", ["a"]),
            record("a"),
        ],
        {"d": 6, "n": None, "c": 5, "a": None},
        id="a branch that took main in",
    ),
    pytest.param([record("c", ["a"]), record("a")], {"c": None, "a": None}, id="a straight line"),
]


@pytest.mark.parametrize(("history", "expected"), HISTORIES)
def test_a_commit_came_by_the_merge_that_first_led_to_it(
    history: list[dict[str, Any]], expected: dict[str, int | None]
) -> None:
    assert pulls(*history) == {sha(seed): number for seed, number in expected.items()}


def test_what_the_walk_remembers_is_only_what_lies_ahead() -> None:
    walk = git_records.MergeWalk()
    for each in range(1_000, 0, -1):
        walk.place(f"m{each}", [f"m{each - 1}", f"b{each}"], "Merge pull request #1 from a/b")
        walk.place(f"b{each}", [f"m{each - 1}"], "Work")
        assert len(walk._arrivals) <= 1


def test_a_squash_tells_its_pull_request() -> None:
    (signal,) = signals(record(1, message="Add it (#8)"))
    assert (signal.number, signal.flags) == (8, Flag.IS_IN_MERGED_PR)


def test_lines_are_split_among_the_authors_with_the_remainder_to_the_first() -> None:
    message = "Pair\n\nCo-authored-by: B <b@b.c>\nCo-authored-by: C <c@b.c>"
    shares = [
        (each.additions, each.deletions)
        for each in signals(record(1, message=message, additions=11, deletions=2))
    ]
    assert shares == [(5, 2), (3, 0), (3, 0)]


def test_nothing_counted_is_not_nothing_changed() -> None:
    (signal,) = signals(record(1, additions=None, deletions=None))
    assert (signal.additions, signal.deletions) == (None, None)


def test_the_authored_time_is_in_utc() -> None:
    (signal,) = signals(record(1, authored_at="2021-05-01T01:30:00+02:00"))
    assert signal.event_time == 1_619_825_400


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"sha": "short"}, id="no SHA"),
        pytest.param({"authored_at": "01/05/2021"}, id="no time"),
        pytest.param({"parents": [1]}, id="a number for a parent"),
        pytest.param({"additions": -1}, id="fewer than no lines"),
        pytest.param({"author": "me"}, id="a text for an author"),
    ],
)
def test_what_is_no_commit_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        signals({**record(1), **changes})
