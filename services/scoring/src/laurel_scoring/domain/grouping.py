"""Orders of positions: who did what where, each in time order, without copying a signal.

Everything here is a stable counting sort, so the cost grows with the signals and no faster.
"""

# Compiled code takes bare arrays, by position.
# mypy: allow-untyped-defs, allow-untyped-calls
# ruff: noqa: PLR0917

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from laurel_scoring.domain.columns import Flags, Int32s, Int64s
from laurel_scoring.domain.compiling import compiled
from laurel_scoring.domain.parallel import in_parts


@dataclass(frozen=True)
class Runs:
    """Positions grouped into runs: one entity's signals within one scope, oldest first.

    order: positions, run after run. start: where each run begins in `order`, and the end.
    scope, entity: per run, ascending by (scope, entity).
    """

    order: Int32s
    start: Int64s
    scope: Int32s
    entity: Int32s

    def __len__(self) -> int:
        return len(self.scope)

    def select(self, scope: int, entities: Int32s) -> "Runs":
        """The runs of some entities within one scope."""
        chosen = np.flatnonzero((self.scope == scope) & np.isin(self.entity, entities))
        slices = [self.order[self.start[run] : self.start[run + 1]] for run in chosen]
        start = np.zeros(len(chosen) + 1, dtype=np.int64)
        np.cumsum([len(each) for each in slices], out=start[1:])
        order = np.concatenate(slices) if slices else np.empty(0, dtype=np.int32)
        return Runs(order, start, self.scope[chosen], self.entity[chosen])


@dataclass(frozen=True)
class Scopes:
    """Which of `count` scopes hold a position: those of its key that cover the thing it is on.

    of_key[at[k]:at[k + 1]] are the scopes of key k. covers: scopes x things, 1 where covered;
    scopes x 0 where everything is.
    """

    count: int
    at: Int64s
    of_key: Int32s
    covers: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Groups:
    """Positions grouped by entity, oldest first.

    order: positions, entity after entity. start: where each entity's begin, and the end.
    """

    order: Int32s
    start: Int64s

    @classmethod
    def of(cls, positions: Int32s, entity_of: Int32s, entities: int) -> "Groups":
        """Groups ascending `positions` by the entity of each."""
        return cls(*_group(positions, entity_of, entities))

    def runs(self) -> Runs:
        """The runs within the one scope that holds everything."""
        entity = np.flatnonzero(np.diff(self.start)).astype(np.int32)
        start = np.append(self.start[entity], self.start[-1])
        return Runs(self.order, start, np.zeros(len(entity), dtype=np.int32), entity)

    def runs_within(self, scopes: Scopes, key_of: Int32s, thing_of: Int32s) -> Runs:
        """The runs within each of `scopes`, where key_of and thing_of name a position's.

        A scope's runs come in the order of the entities, so that each begins where the one before
        ends: what is counted in one walk says where the next one puts everything.
        """
        nothing = np.empty(0, dtype=np.int32)
        inside = (scopes.at, scopes.of_key, scopes.covers, key_of, thing_of)
        tallies: dict[int, Int64s] = {}

        def count(first: int, end: int) -> None:
            tallies[first] = np.zeros((2, scopes.count), dtype=np.int64)
            columns = (nothing, nothing.astype(np.int64), nothing, nothing)
            _walk(self.order, self.start, first, end, inside, tallies[first], columns)

        in_parts(count, self.start)
        parts = sorted(tallies)
        # By scope, and within it by part.
        sizes = np.stack([tallies[part] for part in parts], axis=2)
        ends = np.cumsum(sizes.reshape(2, -1), axis=1).reshape(sizes.shape)
        positions, runs = ends.reshape(2, -1)[:, -1].tolist() if scopes.count else (0, 0)
        places = dict(zip(parts, np.moveaxis(ends - sizes, 2, 0).copy(), strict=True))
        made = Runs(
            np.empty(positions, dtype=np.int32),
            np.full(runs + 1, positions, dtype=np.int64),
            np.empty(runs, dtype=np.int32),
            np.empty(runs, dtype=np.int32),
        )

        def put(first: int, end: int) -> None:
            columns = (made.order, made.start, made.scope, made.entity)
            _walk(self.order, self.start, first, end, inside, places[first], columns)

        in_parts(put, self.start)
        return made


@compiled
def _group(positions, entity_of, entities):
    """Stable counting sort of `positions` by entity; and where each entity begins."""
    start = np.zeros(entities + 1, dtype=np.int64)
    for j in range(len(positions)):
        start[entity_of[positions[j]] + 1] += 1
    for entity in range(entities):
        start[entity + 1] += start[entity]
    at = start.copy()
    order = np.empty(len(positions), dtype=np.int32)
    for j in range(len(positions)):
        entity = entity_of[positions[j]]
        order[at[entity]] = positions[j]
        at[entity] += 1
    return order, start


@compiled
def _walk(order, start, first, end, inside, places, columns):
    """Puts the positions of the entities from `first` to `end` into the columns of Runs.

    places: 2 x scopes, where each scope's next position and next run go; both move on. Into
    columns of no length nothing is put: then they count.
    """
    scope_at, scope_of, covers, key_of, thing_of = inside
    cut, run_start, run_scope, run_entity = columns
    putting, selective = len(run_start) > 0, covers.shape[1] > 0
    last = np.full(len(covers), -1, dtype=np.int64)
    for entity in range(first, end):
        for j in range(start[entity], start[entity + 1]):
            key = key_of[order[j]]
            for k in range(scope_at[key], scope_at[key + 1]):
                scope = scope_of[k]
                if selective and covers[scope, thing_of[order[j]]] == 0:
                    continue
                at, run = places[0, scope], places[1, scope]
                if last[scope] != entity:
                    last[scope] = entity
                    if putting:
                        run_start[run] = at
                        run_scope[run] = scope
                        run_entity[run] = entity
                    places[1, scope] = run + 1
                if putting:
                    cut[at] = order[j]
                places[0, scope] = at + 1


@dataclass(frozen=True)
class TeamIndex:
    """The roster's teams in the form that the compiled loops walk.

    ids: ascending team ids. member_count: members each, active or not. team_at, team_of: each
    user position's team positions. covers: teams x repositories, 1 where in scope.
    """

    ids: Int64s
    member_count: Int32s
    team_at: Int64s
    team_of: Int32s
    covers: npt.NDArray[np.uint8]

    def without(self, teams: Flags) -> "TeamIndex":
        """The same teams, but those flagged in `teams` cover nothing."""
        return replace(self, covers=self.covers * ~teams[:, None])

    def scopes(self) -> Scopes:
        """The teams as scopes of positions whose keys are users and whose things repositories."""
        covers = self.covers[:, :0] if bool(self.covers.all()) else self.covers
        return Scopes(len(self.ids), self.team_at, self.team_of, np.ascontiguousarray(covers))
