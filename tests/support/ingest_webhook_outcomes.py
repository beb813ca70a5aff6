"""What some webhooks come to, without a database."""

from collections import Counter
from typing import Any

from laurel_ingest.application.batch_facts import BatchFacts
from laurel_ingest.domain import webhook_events
from laurel_ingest.domain.credits import signals_of
from laurel_ingest.domain.linking import RepositoryFacts
from laurel_ingest.domain.refusals import Skip
from laurel_ingest.domain.signals import Signal
from tests.support.ingest_webhooks import read

Hook = tuple[str, dict[str, Any]]


def outcome(*hooks: Hook) -> tuple[list[Signal], Counter[str]]:
    """The signals of some deliveries, and what was left out, by reason."""
    told, left_out = BatchFacts(), Counter[str]()
    for event_type, source in hooks:
        event = read(event_type, source)
        found = webhook_events.findings_of(event)
        left_out += found.left_out
        told.add(found, event.repository_id, event.full_name, event.owner)
    known = RepositoryFacts.of(told.facts.values())
    signals: list[Signal] = []
    for fact in told.facts.values():
        some = signals_of(fact, known, told.claims())
        if isinstance(some, Skip):
            left_out[some] += 1
        else:
            signals += some
    return sorted(signals, key=lambda each: (each.type, each.identity, each.user_id)), left_out


def brief(signals: list[Signal]) -> list[tuple[str, str, int, int]]:
    """(type, identity, user, flags)."""
    return [(each.type.label, each.identity, each.user_id, int(each.flags)) for each in signals]
