"""A batch's facts, merged with what is remembered, and the signals that follow, in one go."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from laurel_ingest.application.batch_facts import BatchFacts
from laurel_ingest.application.ports import Storage, TypeCounts, UnitOfWork
from laurel_ingest.application.remembered_facts import Remembered
from laurel_ingest.domain import columns
from laurel_ingest.domain.credits import event_times, possible_signals, signals_of
from laurel_ingest.domain.facts import (
    CommentFact,
    CommitFact,
    Fact,
    FactKey,
    IssueFact,
    PullFact,
    RepositoryFact,
    merge,
)
from laurel_ingest.domain.linking import (
    Claims,
    RepositoryFacts,
    is_fork,
    links_of,
    places_of,
    synthetic_people,
)
from laurel_ingest.domain.months import months_of
from laurel_ingest.domain.refusals import Skip
from laurel_ingest.domain.registers import Standing
from laurel_ingest.domain.signals import Signal
from laurel_ingest.domain.timestamps import is_plausible


@dataclass(slots=True)
class Stored:
    """What storing a batch did."""

    by_type: dict[str, TypeCounts] = field(default_factory=dict)
    withdrawn: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    installation_ids: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Outcome:
    """The signals of some facts, and which more they could stand behind but don't."""

    signals: list[Signal] = field(default_factory=list)
    scope: list[tuple[int, str, str, int]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _View:
    """What is known at a moment: facts, installations by repository id, who is who."""

    facts: Mapping[FactKey, Fact]
    tenants: Mapping[int, int]
    claims: Claims
    now: int


class BatchStore:
    """Stores batches; the order of arrival does not matter to what is stored in the end."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def store(
        self,
        told: BatchFacts,
        installations: Mapping[int, int],
        now: int,
        *,
        again: Collection[FactKey] = (),
        along: Callable[[UnitOfWork], Awaitable[None]] | None = None,
        finally_: Callable[[UnitOfWork, Stored], Awaitable[None]] | None = None,
    ) -> Stored:
        """Merges a batch into what is remembered and writes the signals that follow.

        `installations` by repository id; `now` in epoch seconds; the signals of facts in `again`
        are written anew without news of them; `along` is done at the beginning of the same
        transaction, `finally_` at its end. Raises the typed errors of the database, having changed
        nothing then.
        """
        await self._storage.ensure_partitions(_months(told.facts.values(), now))
        async with self._storage.transaction() as unit:
            if along is not None:
                await along(unit)
            claims_told = told.claims()
            await unit.facts.note_logins(told.unclaimed_logins(claims_told))
            fresh_claims = await unit.facts.claim(claims_told)
            reopened = await unit.facts.crediting(fresh_claims)
            keys = told.facts.keys() | reopened | set(again)
            told_of = {key[0] for key in keys} | {lack[0] for lack in told.lacks}
            await unit.signals.lock(sorted(told_of))
            remembered = await Remembered.of(unit.facts, {key[0] for key in keys})
            before = await remembered.load(keys)
            facts, changed = _merged(told.facts, before)
            await unit.facts.save([facts[key] for key in changed])
            affected: Collection[FactKey] = keys
            if remembered.repository_ids:
                affected = keys | await _neighbours(remembered, before, facts, changed)
                await _complete(remembered, facts, affected)
                around = await _surroundings(remembered, facts, affected)
                await _complete(remembered, facts, around)
            tenants = await unit.facts.installations(installations, {key[0] for key in affected})
            claims = await unit.facts.claims_of(
                {each for fact in facts.values() for each in synthetic_people(fact)}
            )
            fresh = told.facts.keys() - before.keys()
            view = _View(facts, tenants, claims, now)
            outcome = await asyncio.to_thread(_evaluate, view, affected, fresh, told.facts.keys())
            stored = await _write(unit, outcome, tenants)
            if told.lacks:
                await unit.gaps.note(told.lacks)
            if finally_ is not None:
                await finally_(unit, stored)
            return stored


def _merged(
    told: Mapping[FactKey, Fact], before: Mapping[FactKey, Fact]
) -> tuple[dict[FactKey, Fact], list[FactKey]]:
    """Everything known by now, and the keys of what is not as it was."""
    facts, changed = dict(before), []
    for key, fact in told.items():
        known = before.get(key)
        facts[key] = fact if known is None else merge(known, fact)
        if facts[key] != known:
            changed.append(key)
    return facts, changed


async def _neighbours(
    store: Remembered,
    before: Mapping[FactKey, Fact],
    facts: Mapping[FactKey, Fact],
    changed: Iterable[FactKey],
) -> set[FactKey]:
    """What a change may change the signals of, beyond the changed facts themselves.

    Every commit of a repository, but only where none counts any more, or they all do; those that
    stand by a push alone, where another branch counts now; those that no walk has spoken of, where
    one has ended that knows the whole branch.
    """
    pulls = [key for key in changed if key[1] == PullFact.kind]
    near = await store.pointing_at(pulls)
    near |= await store.commits_of(_where(_is_fork, before, facts, changed))
    near |= await store.unmet_commits_of(_where(_branch, before, facts, changed))
    near |= await store.unwalked_commits_of(_where(_walked_at, before, facts, changed))
    for key in pulls:
        near.update(links_of(facts[key]))
    ended = [key for key in changed if _is_gone(before.get(key)) != _is_gone(facts[key])]
    return near | await store.comments_on(ended)


def _is_gone(fact: Fact | None) -> bool:
    """Whether a thing that can be commented on is no more."""
    told = fact.is_deleted if isinstance(fact, IssueFact | PullFact) else None
    return told is not None and bool(told.value)


def _where(
    what: Callable[[Fact | None], object],
    before: Mapping[FactKey, Fact],
    facts: Mapping[FactKey, Fact],
    changed: Iterable[FactKey],
) -> set[int]:
    """The repositories of which something is not as it was."""
    return {
        key[0]
        for key in changed
        if key[1] == RepositoryFact.kind and what(before.get(key)) != what(facts[key])
    }


def _is_fork(fact: Fact | None) -> bool:
    return isinstance(fact, RepositoryFact) and is_fork(fact)


def _branch(fact: Fact | None) -> object:
    told = fact.default_branch if isinstance(fact, RepositoryFact) else None
    return told and told.value


def _walked_at(fact: Fact | None) -> object:
    return fact.history_at if isinstance(fact, RepositoryFact) else None


async def _surroundings(
    store: Remembered, facts: Mapping[FactKey, Fact], affected: Iterable[FactKey]
) -> set[FactKey]:
    """What the signals of the affected facts depend on."""
    around: set[FactKey] = set()
    linked_to = []
    for key in affected:
        around.add((key[0], RepositoryFact.kind, ""))
        if key[1] in (CommitFact.kind, IssueFact.kind):
            linked_to.append(key)
        fact = facts.get(key)
        if isinstance(fact, CommentFact):
            around.update(places_of(fact))
        elif fact is not None and not isinstance(fact, PullFact):
            around.update(links_of(fact))
    return around | await store.pointing_at(linked_to)


async def _complete(store: Remembered, facts: dict[FactKey, Fact], keys: Iterable[FactKey]) -> None:
    facts.update(await store.load([key for key in keys if key not in facts]))


def _evaluate(
    view: _View, affected: Iterable[FactKey], fresh: Collection[FactKey], told: Collection[FactKey]
) -> _Outcome:
    """The signals of the affected facts; what was left out is counted of the told ones alone."""
    by_repository: defaultdict[int, list[Fact]] = defaultdict(list)
    for key, fact in view.facts.items():
        by_repository[key[0]].append(fact)
    known = {each: RepositoryFacts.of(some) for each, some in by_repository.items()}
    outcome = _Outcome()
    for key in affected:
        if key not in view.facts or key[0] not in view.tenants:
            continue
        fact = view.facts[key]
        signals = signals_of(fact, known[key[0]], view.claims)
        if isinstance(signals, Skip):
            outcome.left_out[signals] += key in told
            signals = []
        for signal in signals:
            if is_plausible(signal.event_time, view.now):
                outcome.signals.append(signal)
            else:
                outcome.left_out[Skip.TIME_OUT_OF_RANGE] += key in told
        if key not in fresh:
            standing = getattr(fact, "standing", Standing.ARCHIVE)
            outcome.scope += [
                (key[0], kind.label, identity, standing)
                for kind, identity in possible_signals(fact)
            ]
    return outcome


async def _write(unit: UnitOfWork, outcome: _Outcome, tenants: Mapping[int, int]) -> Stored:
    written = await unit.signals.write(columns.table_of(outcome.signals, tenants), last_word=True)
    withdrawn = await unit.signals.withdraw(
        columns.scope_of(outcome.scope), reason="last_state_stands"
    )
    return Stored(
        dict(written.by_type),
        written.withdrawn + withdrawn,
        +outcome.left_out,
        {tenants[signal.repository_id] for signal in outcome.signals},
    )


def _months(facts: Iterable[Fact], now: int) -> set[datetime]:
    """The months that signals of these facts may fall into."""
    times = (time for fact in facts for time in event_times(fact) if is_plausible(time, now))
    return months_of(times, now)
