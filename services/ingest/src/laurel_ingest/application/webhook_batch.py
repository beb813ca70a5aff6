"""Several deliveries read together: what they tell, and which of them can't be read."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from laurel_ingest.application.batch_facts import BatchFacts, RepositoryTraits
from laurel_ingest.application.line_reading import decoded
from laurel_ingest.domain import webhook_events
from laurel_ingest.domain.deliveries import Delivery
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.json_values import JsonObject, object_of, text_of
from laurel_ingest.domain.refusals import MalformedError
from laurel_ingest.domain.webhook_frames import WebhookEvent, read_webhook


@dataclass(slots=True)
class WebhookBatch:
    """`told`: what the sound deliveries say. By our ids: what was left out of each of them, and
    the errors of those that are not what they should be.
    """

    told: BatchFacts = field(default_factory=BatchFacts)
    left_out: dict[int, Counter[str]] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)


def read_batch(deliveries: Sequence[Delivery]) -> WebhookBatch:
    """Reads each delivery by itself; one at fault does not touch its neighbours."""
    batch = WebhookBatch()
    read: list[tuple[WebhookEvent, Findings]] = []
    for delivery in deliveries:
        try:
            event, found = _read(delivery)
        except MalformedError as error:
            batch.errors[delivery.id] = f"malformed_payload: {error}"
        else:
            batch.left_out[delivery.id] = found.left_out
            read.append((event, found))
    # By their own time: what a repository is called now is what the last one says.
    for event, found in sorted(read, key=lambda each: each[0].at):
        batch.told.add(found, event.repository_id, event.full_name, event.owner)
        _tell_traits(batch.told, event)
    return batch


def _read(delivery: Delivery) -> tuple[WebhookEvent, Findings]:
    received_at = int(delivery.received_at.timestamp())
    event = read_webhook(delivery.event, decoded(delivery.body or b""), received_at)
    return event, webhook_events.findings_of(event)


def _tell_traits(told: BatchFacts, event: WebhookEvent) -> None:
    """What the directory should know of the repository, though no signal depends on it."""
    source = object_of(event.payload, "repository")
    told.traits[event.repository_id] = RepositoryTraits(
        _truth(source, "private"), _truth(source, "archived")
    )
    if event.type == "repository" and text_of(event.payload, "action") != "deleted":
        told.enter(event.repository_id, event.full_name, event.owner)


def _truth(source: JsonObject, name: str) -> bool | None:
    value = source.get(name)
    return value if isinstance(value, bool) else None
