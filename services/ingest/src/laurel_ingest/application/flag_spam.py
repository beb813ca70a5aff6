"""Spam by hand: people's word stands over what sources say."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from laurel_common.clock import Clock
from laurel_ingest.application.batch_facts import BatchFacts
from laurel_ingest.application.batch_store import BatchStore
from laurel_ingest.application.corrections import (
    Actor,
    Creation,
    Thing,
    ThingKind,
    ThingLookup,
)
from laurel_ingest.application.errors import ThingNotFound
from laurel_ingest.application.ports import Directory, Storage, UnitOfWork
from laurel_ingest.domain import columns
from laurel_ingest.domain.facts import (
    CommentFact,
    IssueFact,
    PullFact,
    ReviewCommentFact,
    ReviewFact,
    ThingFact,
    key_of,
    merge,
)
from laurel_ingest.domain.registers import Said, Standing
from laurel_ingest.domain.signals import Flag, Signal, SignalType

_FACTS: Final[Mapping[ThingKind, type[ThingFact]]] = {
    ThingKind.PULL_REQUEST: PullFact,
    ThingKind.ISSUE: IssueFact,
    ThingKind.COMMENT: CommentFact,
    ThingKind.REVIEW_COMMENT: ReviewCommentFact,
    ThingKind.REVIEW: ReviewFact,
}


class FlagSpam:
    """Flags and unflags things; each decision is noted with it."""

    def __init__(
        self,
        storage: Storage,
        things: ThingLookup,
        directory: Directory,
        clock: Clock,
        changed: Callable[[], None],
    ) -> None:
        """`changed` is called after each decision: boards may have to follow."""
        self._storage = storage
        self._store = BatchStore(storage)
        self._things = things
        self._directory = directory
        self._clock = clock
        self._changed = changed

    async def __call__(
        self, installation_id: int, subject: Thing | int, *, flagged: bool, by: Actor
    ) -> tuple[Thing, bool]:
        """The thing, and whether a signal changed; `subject` may be a signal's id.

        Raises InstallationNotFound, ThingNotFound.
        """
        thing = await self._thing(installation_id, subject)
        now = self._clock.now()
        known, is_ours = await self._known(installation_id, thing)
        told = BatchFacts()

        async def decide(unit: UnitOfWork) -> None:
            # Decisions of one second are told apart by their order, so they take turns.
            await unit.corrections.take_turn(thing.repository_id)
            fact = await _decided(unit, thing, flagged=flagged, now=_seconds(now))
            told.facts[key_of(fact)] = fact
            await unit.corrections.note_spam(
                installation_id, thing, flagged=flagged, by=by, now=now
            )

        if is_ours and known is not None and known.author is not None:
            stored = await self._store.store(told, {}, _seconds(now), along=decide)
            counts = stored.by_type.values()
            changed = stored.withdrawn > 0 or any(each.new for each in counts)
        else:
            made = await self._things.creation_of(thing)
            if made is None or made.installation_id != installation_id:
                await self._directory.require_installation(installation_id)
                raise ThingNotFound
            changed = await self._of_signal(made, told, decide, flagged=flagged)
        self._changed()
        return thing, changed

    async def _thing(self, installation_id: int, subject: Thing | int) -> Thing:
        if isinstance(subject, Thing):
            return subject
        thing = await self._things.thing_of(installation_id, subject)
        if thing is None:
            await self._directory.require_installation(installation_id)
            raise ThingNotFound
        return thing

    async def _known(self, installation_id: int, thing: Thing) -> tuple[ThingFact | None, bool]:
        """What is remembered of a thing, and whether its repository is the installation's."""
        key = (thing.repository_id, str(thing.kind), str(thing.number))
        async with self._storage.transaction() as unit:
            tenants = await unit.facts.installations({}, {thing.repository_id})
            fact = (await unit.facts.load([key])).get(key)
        known = fact if isinstance(fact, ThingFact) else None
        return known, tenants.get(thing.repository_id) == installation_id

    async def _of_signal(
        self,
        made: Creation,
        told: BatchFacts,
        decide: Callable[[UnitOfWork], Awaitable[None]],
        *,
        flagged: bool,
    ) -> bool:
        """Of a thing that only a backend's signal tells of: the spam signal is ours alone.

        What was decided is remembered, should a source tell of the thing later.
        """
        repository_id = made.thing.repository_id
        spam = Signal(
            *(repository_id, made.user_id, SignalType.SPAM, made.thing.identity),
            event_time=_seconds(made.event_timestamp),
            standing=Standing.BEST,
            flags=Flag.IS_BOT if made.is_bot else 0,
        )
        tenants = {repository_id: made.installation_id}
        async with self._storage.transaction() as unit:
            await decide(unit)
            await unit.signals.lock([repository_id])
            before = await unit.facts.load(told.facts.keys())
            await unit.facts.save(
                [
                    merge(before[key], fact) if key in before else fact
                    for key, fact in told.facts.items()
                ]
            )
            if flagged:
                written = await unit.signals.write(
                    columns.table_of([spam], tenants), last_word=True
                )
                return any(each.new for each in written.by_type.values())
            scope = [(repository_id, "spam", made.thing.identity, int(Standing.BEST))]
            return await unit.signals.withdraw(columns.scope_of(scope), reason="unflagged") > 0


async def _decided(unit: UnitOfWork, thing: Thing, *, flagged: bool, now: int) -> ThingFact:
    """A decision that stands over those that were committed before it."""
    fact = _FACTS[thing.kind](thing.repository_id, str(thing.number))
    known = (await unit.facts.load([key_of(fact)])).get(key_of(fact))
    before = known if isinstance(known, ThingFact) else None
    return replace(fact, flagged=Said(Standing.BEST, _later(now, before), flagged))


def _later(now: int, known: ThingFact | None) -> int:
    """A time at which a decision stands over the one before, even within one second."""
    before = known.flagged if known is not None else None
    return now if before is None else max(now, before.at + 1)


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
