"""What an observation changes in the rows that stand: pure, from their state to a plan of writes.

docs/adr/0050 gives the reasons for the rules.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from laurel_identity.domain.entities import Entity, Relation
from laurel_identity.domain.names import is_synthetic

E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, slots=True)
class Stored(Generic[E]):
    """A row as it stands; `observed_at` is None where no observation of it was recorded."""

    entity: E
    observed_at: datetime | None

    def is_newer_than(self, moment: datetime) -> bool:
        return self.observed_at is not None and self.observed_at > moment


@dataclass(frozen=True, slots=True)
class Rename(Generic[E]):
    """A row whose unique columns change, from what they hold now."""

    old: E
    new: E


@dataclass(frozen=True, slots=True)
class Plan(Generic[E]):
    """Writes in this order: vacate, rename, insert, revise. No row stands in two of the last three.

    vacate: rows that give their names up before others take them. rename: rows whose unique
    columns (and perhaps others) change. revise: rows of which only other columns change.
    observed: ids whose time of observation is to be recorded.
    """

    vacate: tuple[Rename[E], ...] = ()
    rename: tuple[Rename[E], ...] = ()
    insert: tuple[E, ...] = ()
    revise: tuple[E, ...] = ()
    observed: tuple[int, ...] = ()

    @property
    def updated_ids(self) -> set[int]:
        """The rows that stood before and say something else after."""
        renamed = {each.old.id for each in (*self.vacate, *self.rename)}
        return renamed | {entity.id for entity in self.revise}

    @property
    def changed(self) -> tuple[E, ...]:
        """The rows that the observation itself changes or adds, as they come out."""
        return (*(each.new for each in self.rename), *self.insert, *self.revise)


def plan_upsert(
    stored: Iterable[Stored[E]], incoming: Iterable[E], observed_at: datetime
) -> Plan[E]:
    """What `incoming`, seen at `observed_at`, changes.

    `stored` holds every row that has an id or a name of `incoming`; more do no harm.
    """
    rows = {row.entity.id: row for row in stored}
    news = _fresh(rows, incoming, observed_at)
    settled = _settle_names(rows, news, observed_at)
    return _difference(rows, settled, news.keys(), observed_at)


def _fresh(
    rows: Mapping[int, Stored[E]], incoming: Iterable[E], observed_at: datetime
) -> dict[int, E]:
    """The rows' next states by id, the last named last; stale news is left out.

    Those whose names were not told come first: they keep theirs, but not against whoever was seen
    with it. One that has none gets a tombstone.
    """
    news: dict[int, E] = {}
    named = set()
    for entity in incoming:
        known = rows.get(entity.id)
        if known is not None and known.is_newer_than(observed_at):
            continue
        earlier = news.pop(entity.id, None) or (known.entity if known is not None else None)
        if entity.name_key:
            named.add(entity.id)
        if earlier is None:
            news[entity.id] = entity if entity.name_key else entity.tombstoned()
        else:
            news[entity.id] = earlier.absorb(entity)
    return dict(sorted(news.items(), key=lambda each: each[0] in named))


def _settle_names(
    rows: Mapping[int, Stored[E]], news: Mapping[int, E], observed_at: datetime
) -> dict[int, E]:
    """Next states in which no two rows share a name: losers of one have tombstones."""
    holders: dict[Hashable, Stored[E]] = {row.entity.name_key: row for row in rows.values()}
    settled: dict[int, E] = {}
    for key, claimants in _claims(news.values()).items():
        winner = max(claimants, key=lambda entity: not is_synthetic(entity.id))
        holder = holders.get(key)
        # A holder with news of its own has a claim, or has moved on.
        if holder is not None and holder.entity.id not in news:
            if _keeps(holder, winner, observed_at):
                winner = holder.entity
            else:
                settled[holder.entity.id] = holder.entity.tombstoned()
        for entity in claimants:
            settled[entity.id] = entity if entity.id == winner.id else entity.tombstoned()
    return settled


def _claims(news: Iterable[E]) -> dict[Hashable, list[E]]:
    """Who wants each name, the last mentioned first."""
    claims: dict[Hashable, list[E]] = {}
    for entity in news:
        claims.setdefault(entity.name_key, []).insert(0, entity)
    return claims


def _keeps(holder: Stored[E], claimant: E, observed_at: datetime) -> bool:
    """Whether a row keeps its name against a claimant."""
    if is_synthetic(holder.entity.id) != is_synthetic(claimant.id):
        return is_synthetic(claimant.id)
    return holder.is_newer_than(observed_at)


def _difference(
    rows: Mapping[int, Stored[E]],
    settled: Mapping[int, E],
    fresh: Collection[int],
    observed_at: datetime,
) -> Plan[E]:
    """The writes that lead from `rows` to `settled`; `fresh` are the ids that have news."""
    takers = {entity.name_key: entity.id for entity in settled.values()}
    vacate, rename, insert, revise, observed = [], [], [], [], []
    for entity_id, entity in settled.items():
        row = rows.get(entity_id)
        if entity_id in fresh and (row is None or row.observed_at != observed_at):
            observed.append(entity_id)
        if row is None:
            insert.append(entity)
            continue
        standing = row.entity
        if takers.get(standing.name_key, entity_id) != entity_id:
            vacate.append(Rename(standing, standing.tombstoned()))
            standing = standing.tombstoned()
        if entity.names != standing.names:
            rename.append(Rename(standing, entity))
        elif entity != standing:
            revise.append(entity)
    return Plan(tuple(vacate), tuple(rename), tuple(insert), tuple(revise), tuple(observed))


@dataclass(frozen=True, slots=True)
class StoredRelation:
    """A relation's row as it stands, or, where it does not, when it was last seen not to."""

    relation: Relation
    observed_at: datetime | None
    stands: bool = True

    def is_newer_than(self, moment: datetime) -> bool:
        return self.observed_at is not None and self.observed_at > moment


@dataclass(frozen=True, slots=True)
class RelationPlan:
    """insert: rows that are new. revise: rows whose role changes. remove: keys of rows to go.
    observed: keys to record.
    """

    insert: tuple[Relation, ...] = ()
    revise: tuple[Relation, ...] = ()
    remove: tuple[tuple[int, int], ...] = ()
    observed: tuple[tuple[int, int], ...] = ()


def plan_relations(
    stored: Iterable[StoredRelation],
    incoming: Sequence[Relation],
    observed_at: datetime,
    absent: Collection[tuple[int, int]] = (),
) -> RelationPlan:
    """What `incoming`, seen at `observed_at`, changes; of one named twice the last stands.

    `absent` are keys of relations that were seen not to be.
    """
    rows = {row.relation.key: row for row in stored}
    insert, revise, observed = [], [], []
    for key, relation in {relation.key: relation for relation in incoming}.items():
        row = rows.get(key)
        if row is not None and row.is_newer_than(observed_at):
            continue
        if row is None or not row.stands:
            insert.append(relation)
        elif row.relation.role != relation.role:
            revise.append(relation)
        if row is None or row.observed_at != observed_at:
            observed.append(key)
    passed = [key for key in absent if key not in rows or not rows[key].is_newer_than(observed_at)]
    remove = [key for key in passed if key in rows and rows[key].stands]
    return RelationPlan(tuple(insert), tuple(revise), tuple(remove), (*observed, *passed))
