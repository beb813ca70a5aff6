"""GraphQL, webhooks, GH Archive and git, each whole, in each of their orders: the same signals."""

from itertools import permutations
from typing import Final

import pytest

from laurel_ingest.domain.content_hash import content_hash
from laurel_ingest.domain.signals import Signal, SignalType
from tests.support.ingest_chronicle import Chronicle
from tests.support.ingest_shapes import as_of_late
from tests.support.ingest_tellings import Telling, assert_as_it_happened, by_git, by_graphql
from tests.unit.ingest.test_sources_in_any_order import rows_of, signals_of_batches, told

LIVES: Final = {
    "all that a merge brings": "open_issue comment minimize open_pull review dismiss push"
    " close_issue merge_pull",
    "a pull request that is closed, and spam": "open_issue open_pull label_pull close_pull push",
    "a merge after a close": "open_pull close_pull reopen_pull merge_pull",
    "all that is taken back": "open_pull close_pull reopen_pull label_pull label_pull open_issue"
    " close_issue reopen_issue comment minimize minimize review push push force_push",
    "an issue that is closed twice": "open_issue close_issue reopen_issue close_issue",
    "all that is deleted": "open_issue comment open_pull review delete_line delete_comment",
    "an issue that is deleted with its comment": "open_issue comment close_issue delete_issue push",
}
SOURCES: Final = ("graphql", "webhook", "archive", "git")
ALL: Final = {each.label for each in SignalType}
KINDS: Final = {"graphql": ALL, "webhook": ALL, "archive": ALL, "git": {"commit"}}


def life(name: str) -> Chronicle:
    """Every step of it can be taken."""
    chronicle = Chronicle(900)
    for step in LIVES[name].split():
        assert chronicle.take(step) is not None, step
    return chronicle


def tellings_of(chronicle: Chronicle, *, is_late: bool = False) -> dict[str, list[Telling]]:
    """All that each source tells of a life; the archive perhaps in the shape of late 2025."""
    told: dict[str, list[Telling]] = {each: [] for each in SOURCES}
    for place, step in enumerate(chronicle.steps):
        events = [as_of_late(each) if is_late else each for each in step.archive]
        told["webhook"] += [Telling("webhook", place, each) for each in step.webhooks]
        told["archive"] += [Telling("archive", place, each) for each in events]
    told["graphql"] = [by_graphql(chronicle)]
    if chronicle.activity.head:
        told["git"] = [by_git(chronicle)]
    return told


def signals_after(chronicle: Chronicle, *groups: list[Telling]) -> set[Signal]:
    return signals_of_batches(told(chronicle, [each for group in groups for each in group]))


@pytest.mark.parametrize("is_late", [False, True], ids=["2015's shape", "2025's shape"])
@pytest.mark.parametrize("name", LIVES)
def test_each_order_of_the_sources_ends_in_what_happened(name: str, is_late: bool) -> None:
    chronicle = life(name)
    by_source = tellings_of(chronicle, is_late=is_late)
    everything = [each for group in by_source.values() for each in group]
    ends = set()
    for order in permutations(by_source.values()):
        for groups in (order, [group[::-1] for group in order]):
            signals = signals_after(chronicle, *groups)
            ends.add(frozenset(signals))
    assert len(ends) == 1
    assert_as_it_happened(chronicle, everything, rows_of(ends.pop()))


@pytest.mark.parametrize("source", SOURCES)
def test_each_source_by_itself_tells_of_its_kinds_under_the_hashes_of_the_others(
    source: str,
) -> None:
    kinds = set()
    for name in list(LIVES)[:2]:
        chronicle = life(name)
        signals = signals_after(chronicle, tellings_of(chronicle)[source])
        for kind in {each.type.label for each in signals}:
            found = {
                content_hash(kind, each.repository_id, each.identity)
                for each in signals
                if each.type.label == kind
            }
            happened = {
                content_hash(kind, chronicle.repository.id, identity)
                for each, identity in chronicle.stands
                if each == kind
            }
            # Whether a comment is spam, GraphQL alone can tell.
            assert found == happened or (kind == "spam" and found < happened)
        kinds |= {each.type.label for each in signals}
    assert kinds == KINDS[source]
