"""A webhook delivery: what it is about, who works on it, and when it is tried again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from laurel_ingest.domain.webhook_events import HANDLERS

MAX_ATTEMPTS: Final = 5
"""Attempts that end in an error of ours before a delivery is parked."""

IDENTITYS: Final = frozenset(
    {
        *("installation", "installation_repositories", "installation_target", "organization"),
        *("membership", "member", "team", "team_add", "repository", "github_app_authorization"),
    }
)
"""Events of what identity keeps: accounts, people, teams, installations."""

_GIVES: Final = {
    ("installation", "created"),
    ("installation", "unsuspend"),
    ("installation_repositories", "added"),
}

_FIRST_PAUSE: Final = timedelta(seconds=2)
_LONGEST_PAUSE: Final = timedelta(minutes=10)
_LONGEST_WAIT: Final = timedelta(minutes=1)
_LONGEST_WORD: Final = 128
MAX_BIGINT: Final = 2**63 - 1


class DeliveryState(StrEnum):
    """What became of a delivery. `ignored`: of an event that nothing here depends on. `lost`: it
    never came, and GitHub has it no more.
    """

    WAITING = "waiting"
    DONE = "done"
    IGNORED = "ignored"
    PARKED = "parked"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it is kept; `id` is ours, `delivery_id` GitHub's. `body` is None once dropped.

    `left_out`: what yielded no signal, and what was incomplete, counted by reason.
    """

    id: int
    delivery_id: str
    event: str
    action: str | None
    installation_id: int | None
    state: DeliveryState
    received_at: datetime
    attempts: int = 0
    next_attempt_at: datetime | None = None
    finished_at: datetime | None = None
    last_error: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    body: bytes | None = None
    body_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery that has just come in; `subject_id` says with which others it is worked on."""

    delivery_id: str
    event: str
    action: str | None
    installation_id: int | None
    subject_id: int
    received_at: datetime
    body: bytes


def is_worked_on(event: str) -> bool:
    """Whether anything depends on an event; others are acknowledged and counted."""
    return event in HANDLERS or is_identitys(event)


def is_identitys(event: str) -> bool:
    """Whether an event is handed on to identity."""
    return event in IDENTITYS


def gives_something_to_read(delivery: Delivery) -> bool:
    """Whether GitHub has history now that an installation could not read before."""
    return bool(delivery.installation_id) and (delivery.event, delivery.action) in _GIVES


def pause_after(attempts: int) -> timedelta:
    """How long a delivery waits after so many failed attempts."""
    return min(_FIRST_PAUSE * (1 << min(attempts - 1, 20)), _LONGEST_PAUSE)


def pause_while_away(age: timedelta) -> timedelta:
    """How long a delivery of some age waits for what it needs and can't have now."""
    return min(max(age / 4, _FIRST_PAUSE), _LONGEST_WAIT)


def arrival(
    delivery_id: str, event: str, body: bytes, payload: Any, received_at: datetime
) -> Arrival:
    """What is known of a delivery before anybody works on it, whatever its payload is.

    `payload`: the decoded body, None for one that can't be decoded.
    """
    whole = payload if isinstance(payload, dict) else {}
    action = whole.get("action")
    owner = _inner(_inner(whole, "repository"), "owner")
    installation_id = _id(_inner(whole, "installation"))
    return Arrival(
        delivery_id,
        event,
        action if isinstance(action, str) and _fits(action) else None,
        installation_id,
        installation_id or -(_id(owner) or 0),
        received_at,
        body,
    )


def _inner(source: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = source.get(name)
    return value if isinstance(value, dict) else {}


def _id(source: Mapping[str, Any]) -> int | None:
    value = source.get("id")
    sound = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_BIGINT
    return value if sound else None


def _fits(word: str) -> bool:
    return word.isascii() and word.isprintable() and 0 < len(word) <= _LONGEST_WORD
