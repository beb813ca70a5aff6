"""What the use cases of spam and bots by hand need, and what whoever gives it owes them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Actor:
    """Who decides something: the kind of caller, and the key's name or the user's login."""

    kind: str
    name: str


class ThingKind(StrEnum):
    """What can be spam, by the kind of its fact."""

    PULL_REQUEST = "pull_request"
    ISSUE = "issue"
    COMMENT = "comment"
    REVIEW_COMMENT = "review_comment"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Thing:
    """By its number, or by GitHub's id where it has none."""

    repository_id: int
    kind: ThingKind
    number: int

    @property
    def identity(self) -> str:
        """What a spam signal of it is known by."""
        return f"{self.kind}:{self.number}"


@dataclass(frozen=True, slots=True)
class Creation:
    """Who made a thing, and when, as the signal of its making says."""

    thing: Thing
    installation_id: int
    user_id: int
    event_timestamp: datetime
    is_bot: bool


class CorrectionLog(Protocol):
    """The audit log of decisions, in the unit of work that it belongs to."""

    async def take_turn(self, repository_id: int) -> None:
        """Until the unit of work ends, nobody else decides about a thing of this repository. It is
        the first that the unit does.
        """
        ...

    async def note_spam(
        self, installation_id: int, thing: Thing, *, flagged: bool, by: Actor, now: datetime
    ) -> None:
        """Adds that somebody flagged or unflagged a thing."""
        ...


class ThingLookup(Protocol):
    """Finds things by their signals."""

    async def thing_of(self, installation_id: int, signal_id: int) -> Thing | None:
        """The thing that a signal of the installation is of; None where there is none."""
        ...

    async def creation_of(self, thing: Thing) -> Creation | None:
        """Who made a thing, by the signal of its making; None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class InstallationBot:
    """A person whom an installation counts as a bot."""

    user_id: int
    added_by: str
    created_at: datetime


class BotList(Protocol):
    """Whom installations count as bots, beside those that GitHub calls bots."""

    async def page(
        self, installation_id: int, after: int | None, limit: int
    ) -> Sequence[InstallationBot]:
        """At most `limit` with user ids above `after`, in their order."""
        ...

    async def change(
        self,
        installation_id: int,
        add: Collection[int],
        remove: Collection[int],
        *,
        by: Actor,
        now: datetime,
    ) -> tuple[int, int]:
        """How many were added and removed; what changed is noted, and scoring is to be told.

        Raises InstallationNotFound, UserNotFound.
        """
        ...
