"""Takes a webhook in: checked, stored, acknowledged; the work is a job's."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from laurel_common.clock import Clock
from laurel_common.errors import InvalidRequest
from laurel_ingest.application.errors import WebhookRefused, WebhookSecretMissing
from laurel_ingest.application.inbox import Inbox
from laurel_ingest.application.line_reading import decoded
from laurel_ingest.domain.deliveries import arrival, is_worked_on
from laurel_ingest.domain.refusals import MalformedError
from laurel_ingest.domain.webhook_signatures import SIGNATURE_HEADER, is_signed

_DELIVERY_HEADER: Final = "x-github-delivery"
_EVENT_HEADER: Final = "x-github-event"
_LONGEST_WORD: Final = 128
# Longer bodies are checked and decoded beside the event loop.
_INLINE_BYTES: Final = 256 * 1024


class Receipt(Enum):
    """What was done with a delivery. `IGNORED`: counted, nothing here depends on its event."""

    ACCEPTED = 1
    DUPLICATE = 2
    IGNORED = 3


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """GitHub's id of the delivery, and what was done with it."""

    delivery_id: str
    receipt: Receipt


class ReceiveWebhook:
    """Answers when the delivery is committed. A body that can't be read is kept all the same."""

    def __init__(self, inbox: Inbox, secrets: Callable[[], Sequence[bytes]], clock: Clock) -> None:
        """`secrets`: those that are good now; two while one is replaced by another."""
        self._inbox = inbox
        self._secrets = secrets
        self._clock = clock

    async def __call__(self, headers: Mapping[str, str], body: bytes) -> Acknowledgement:
        """Raises WebhookSecretMissing, WebhookRefused, InvalidRequest."""
        secrets = self._secrets()
        if not secrets:
            raise WebhookSecretMissing
        told = {name.lower(): value for name, value in headers.items()}
        signature = told.get(SIGNATURE_HEADER)
        if len(body) > _INLINE_BYTES:
            payload = await asyncio.to_thread(_read, body, signature, secrets)
        else:
            payload = _read(body, signature, secrets)
        delivery_id, event = _word(told, _DELIVERY_HEADER), _word(told, _EVENT_HEADER)
        arrived = arrival(delivery_id, event, body, payload, self._clock.now())
        worked_on = is_worked_on(event)
        if not await self._inbox.keep(arrived, worked_on=worked_on):
            return Acknowledgement(delivery_id, Receipt.DUPLICATE)
        return Acknowledgement(delivery_id, Receipt.ACCEPTED if worked_on else Receipt.IGNORED)


def _read(body: bytes, signature: str | None, secrets: Sequence[bytes]) -> Any:
    """The decoded body, None for one that is no JSON. Raises WebhookRefused."""
    if not is_signed(body, signature, secrets):
        raise WebhookRefused
    try:
        return decoded(body)
    except MalformedError:
        return None


def _word(headers: Mapping[str, str], name: str) -> str:
    word = headers.get(name, "").strip()
    if not word:
        raise InvalidRequest.of((f"headers.{name}", "is missing"))
    if len(word) > _LONGEST_WORD or not (word.isascii() and word.isprintable()):
        raise InvalidRequest.of((f"headers.{name}", "is not what GitHub sends"))
    return word
