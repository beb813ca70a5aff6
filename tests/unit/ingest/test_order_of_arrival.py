"""Whatever comes first, twice, or in which batch: the same facts, the same signals."""

from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from laurel_ingest.application.batch_facts import BatchFacts
from laurel_ingest.domain import archive_events, archive_frames
from laurel_ingest.domain.credits import signals_of
from laurel_ingest.domain.facts import Fact, FactKey, from_json, key_of, merge, to_json
from laurel_ingest.domain.linking import RepositoryFacts
from laurel_ingest.domain.refusals import Skip
from laurel_ingest.domain.settling import Word, settle
from laurel_ingest.domain.signals import Signal
from tests.support.ingest_strategies import histories, rearranged

Event = dict[str, Any]


def told(events: Iterable[Event]) -> BatchFacts:
    facts = BatchFacts()
    for raw in events:
        event = archive_frames.read_event(raw)
        assert event.repository_id is not None
        found = archive_events.findings_of(event, event.repository_id)
        facts.add(found, event.repository_id, event.full_name, event.owner)
    return facts


def imported(batches: Sequence[Sequence[Event]]) -> set[Signal]:
    """The signals after some batches, each merged into what was remembered as JSON."""
    remembered: dict[FactKey, Any] = {}
    claims: dict[int, int] = {}
    for batch in batches:
        facts = told(batch)
        for key, fact in facts.facts.items():
            known = from_json(key, remembered[key]) if key in remembered else None
            remembered[key] = to_json(fact if known is None else merge(known, fact))
        claims |= facts.claims()
    whole: list[Fact] = [from_json(key, said) for key, said in remembered.items()]
    known_facts = RepositoryFacts.of(whole)
    signals = [signals_of(fact, known_facts, claims) for fact in whole]
    return {each for some in signals if not isinstance(some, Skip) for each in some}


@settings(max_examples=300, deadline=None)
@given(rearranged())
def test_any_order_and_any_batches_end_in_the_same_signals(
    case: tuple[list[Event], list[list[Event]]],
) -> None:
    history, batches = case
    assert imported(batches) == imported([history])


@given(histories())
def test_a_history_told_twice_says_nothing_new(history: list[Event]) -> None:
    assert imported([history, history]) == imported([history])


@given(histories())
def test_facts_survive_being_written_down(history: list[Event]) -> None:
    for fact in told(history).facts.values():
        assert from_json(key_of(fact), to_json(fact)) == fact


WORDS = st.builds(
    Word,
    standing=st.integers(1, 3),
    user_id=st.integers(1, 3),
    event_time=st.integers(0, 3),
    value_e4=st.sampled_from([10_000, 20_000]),
    flags=st.integers(0, 63),
    details=st.dictionaries(st.sampled_from(["number", "additions"]), st.integers(0, 3)),
)


@given(st.lists(WORDS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_whoever_speaks_first_the_best_word_stands(words: list[Word], random: Any) -> None:
    def settled(order: Sequence[Word]) -> Word:
        standing = order[0]
        for word in order[1:]:
            standing = settle(standing, word)
        return standing

    shuffled = list(words)
    random.shuffle(shuffled)
    assert settled(shuffled) == settled(words)


@given(WORDS, WORDS)
def test_a_lesser_source_adds_flags_and_nothing_else(known: Word, offered: Word) -> None:
    settled = settle(known, offered)
    if offered.standing < known.standing:
        assert settled == Word(
            known.standing,
            known.user_id,
            known.event_time,
            known.value_e4,
            known.flags | offered.flags,
            known.details,
        )
