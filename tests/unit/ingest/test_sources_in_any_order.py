"""One thing by webhook, archive and git: the same identities, the same end in any order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from laurel_ingest.application.batch_facts import BatchFacts
from laurel_ingest.domain import archive_events, archive_frames, git_records, webhook_events
from laurel_ingest.domain.content_hash import content_hash
from laurel_ingest.domain.credits import signals_of
from laurel_ingest.domain.facts import Fact, FactKey, from_json, merge, to_json
from laurel_ingest.domain.findings import Owner
from laurel_ingest.domain.linking import RepositoryFacts
from laurel_ingest.domain.refusals import Skip
from laurel_ingest.domain.signals import Signal, SignalType
from tests.support.ingest_builders import FULL_NAME, REPOSITORY_ID, record
from tests.support.ingest_chronicle import Chronicle
from tests.support.ingest_strategies import MAIL_OF, MESSAGE_OF, histories
from tests.support.ingest_tellings import Case, assert_as_it_happened, told_by_four
from tests.support.ingest_tellings import Telling as Told
from tests.support.ingest_tellings import read as read_telling
from tests.support.ingest_webhooks import RECEIVED_AT, as_webhook, payload, read, repository

Telling: TypeAlias = tuple[str, Any]
"""A source's name, and what it tells."""


def add(told: BatchFacts, telling: Telling) -> None:
    source, raw = telling
    if source == "archive":
        event = archive_frames.read_event(raw)
        found = archive_events.findings_of(event, REPOSITORY_ID)
    elif source == "webhook":
        found = webhook_events.findings_of(read(*raw))
    else:
        found = git_records.findings_of(raw, REPOSITORY_ID, git_records.MergeWalk())
    told.add(found, REPOSITORY_ID, FULL_NAME, Owner("acme"))


def signals_after(tellings: Sequence[Telling]) -> set[Signal]:
    """The signals after some tellings, each a batch of its own."""
    batches = []
    for telling in tellings:
        told = BatchFacts()
        add(told, telling)
        batches.append(told)
    return signals_of_batches(batches)


def signals_of_batches(batches: Iterable[BatchFacts]) -> set[Signal]:
    """The signals after some batches, each merged into what was remembered as JSON."""
    remembered: dict[FactKey, Any] = {}
    claims: dict[int, int] = {}
    for told in batches:
        for key, fact in told.facts.items():
            known = from_json(key, remembered[key]) if key in remembered else None
            remembered[key] = to_json(fact if known is None else merge(known, fact))
        claims |= told.claims()
    whole: list[Fact] = [from_json(key, said) for key, said in remembered.items()]
    around = RepositoryFacts.of(whole)
    signals = [signals_of(fact, around, claims) for fact in whole]
    return {each for some in signals if not isinstance(some, Skip) for each in some}


def hashes(signals: set[Signal]) -> set[tuple[str, int]]:
    """What is one signal, and to whom it is credited.

    But for reviews: the invented events disagree about whose they are, and so do their times.
    """
    return {
        (
            content_hash(each.type.label, each.repository_id, each.identity),
            0 if each.type is SignalType.REVIEW else each.user_id,
        )
        for each in signals
    }


def commits(*seeds: int) -> list[Telling]:
    """What a clone tells of the commits that pushes are made of."""
    return [
        (
            "git",
            record(seed, message=MESSAGE_OF[seed], author={"name": "x", "email": MAIL_OF[seed]}),
        )
        for seed in seeds
    ]


def by_webhook(event: dict[str, Any], branch: str = "main") -> list[Telling]:
    """What the webhook of an event tells, where there is one."""
    hook = as_webhook(event, branch)
    return [] if hook is None else [("webhook", hook)]


@st.composite
def told_by_several(draw: st.DrawFn) -> tuple[list[Telling], list[Telling]]:
    """A history, each event by archive, by webhook or by both, commits by git too; rearranged."""
    tellings: list[Telling] = []
    for event in draw(histories(10)):
        sources = draw(st.sampled_from(["archive", "webhook", "both"]))
        hook = by_webhook(event)
        if sources != "webhook" or not hook:
            tellings.append(("archive", event))
        if sources != "archive":
            tellings += hook
    tellings += commits(*draw(st.sets(st.integers(1, 4))))
    again = draw(st.lists(st.sampled_from(tellings), max_size=3))
    return tellings, draw(st.permutations(tellings + again))


@settings(max_examples=80, deadline=None)
@given(told_by_several())
def test_several_sources_in_any_order_end_in_the_same_signals(
    case: tuple[list[Telling], list[Telling]],
) -> None:
    history, rearranged = case
    assert signals_after(rearranged) == signals_after(history)


@settings(max_examples=80, deadline=None)
@given(histories(8))
def test_webhooks_alone_and_the_archive_alone_tell_of_the_same_signals(
    history: list[dict[str, Any]],
) -> None:
    pairs = [(("archive", event), by_webhook(event)) for event in history]
    # Which branch counts is another question: it may be told by things that have no webhook.
    last = payload(action="edited") | {"repository": repository(updated_at=RECEIVED_AT)}
    main = ("webhook", ("repository", last))
    archive = [told for told, hook in pairs if hook]
    webhooks = [each for _, hook in pairs for each in hook]
    assert hashes(signals_after([*archive, main])) == hashes(signals_after([*webhooks, main]))


@dataclass(frozen=True)
class Row:
    """A signal as the database would show it."""

    content_hash: str
    user_id: int
    event_timestamp: datetime


def rows_of(signals: Iterable[Signal]) -> list[Row]:
    """Signals as rows."""
    return [
        Row(
            content_hash(each.type.label, each.repository_id, each.identity),
            each.user_id,
            datetime.fromtimestamp(each.event_time, UTC),
        )
        for each in signals
    ]


def told(chronicle: Chronicle, tellings: Iterable[Told]) -> Iterator[BatchFacts]:
    """What each telling of a repository's life says."""
    full_name = chronicle.world.full_name(chronicle.repository)
    for telling in tellings:
        batch = BatchFacts()
        for found in read_telling(telling, chronicle.repository.id, full_name):
            batch.add(found, chronicle.repository.id, full_name, Owner("acme"))
        yield batch


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(told_by_four())
def test_graphql_webhooks_archive_and_git_in_any_order_tell_what_happened(case: Case) -> None:
    chronicle, tellings, batches = case
    rearranged = [telling for batch in batches for telling in batch]
    note(f"steps {list(enumerate(step.name for step in chronicle.steps))}; told {rearranged}")
    signals = signals_of_batches(told(chronicle, rearranged))
    assert_as_it_happened(chronicle, tellings, rows_of(signals))
    assert signals == signals_of_batches(told(chronicle, tellings))
