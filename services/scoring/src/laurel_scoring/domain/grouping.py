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


@compiled
def _spread(order, keys, size):
    """Stable counting sort of the positions in `order` by keys[position] below `size`."""
    at = np.zeros(size + 1, dtype=np.int64)
    for j in range(len(order)):
        at[keys[order[j]] + 1] += 1
    for key in range(size):
        at[key + 1] += at[key]
    result = np.empty(len(order), dtype=np.int32)
    for j in range(len(order)):
        key = keys[order[j]]
        result[at[key]] = order[j]
        at[key] += 1
    return result


@compiled
def _spread_to_teams(order, user, repository, team_at, team_of, covers):
    """Per team, the positions of its members on its repositories, in the order of `order`.

    team_of[team_at[u]:team_at[u + 1]] are user u's teams; covers[team, repository] is 1 where
    the team's scope holds the repository. Returns (positions, start of each team and the end).
    """
    teams = len(covers)
    start = np.zeros(teams + 1, dtype=np.int64)
    for j in range(len(order)):
        i = order[j]
        for k in range(team_at[user[i]], team_at[user[i] + 1]):
            start[team_of[k] + 1] += covers[team_of[k], repository[i]]
    for team in range(teams):
        start[team + 1] += start[team]
    at = start[:-1].copy()
    result = np.empty(start[teams], dtype=np.int32)
    for j in range(len(order)):
        i = order[j]
        for k in range(team_at[user[i]], team_at[user[i] + 1]):
            team = team_of[k]
            if covers[team, repository[i]]:
                result[at[team]] = i
                at[team] += 1
    return result, start


@compiled
def _cut(order, scope_start, entity_of):
    """Where runs begin: at each change of entity within a scope's slice of `order`."""
    runs = 0
    for scope in range(len(scope_start) - 1):
        for j in range(scope_start[scope], scope_start[scope + 1]):
            if j == scope_start[scope] or entity_of[order[j]] != entity_of[order[j - 1]]:
                runs += 1
    start = np.empty(runs + 1, dtype=np.int64)
    scopes = np.empty(runs, dtype=np.int32)
    entities = np.empty(runs, dtype=np.int32)
    run = 0
    for scope in range(len(scope_start) - 1):
        for j in range(scope_start[scope], scope_start[scope + 1]):
            if j == scope_start[scope] or entity_of[order[j]] != entity_of[order[j - 1]]:
                start[run] = j
                scopes[run] = scope
                entities[run] = entity_of[order[j]]
                run += 1
    start[runs] = len(order)
    return start, scopes, entities


def by_entity(positions: Int32s, entity_of: Int32s, entities: int) -> Int32s:
    """`positions` sorted stably by the entity of each."""
    result: Int32s = _spread(positions, entity_of, entities)
    return result


def runs_of(order: Int32s, scope_start: Int64s, entity_of: Int32s) -> Runs:
    """Cuts an order that is sorted by (scope, entity) into runs."""
    start, scopes, entities = _cut(order, scope_start, entity_of)
    return Runs(order, start, scopes, entities)


def scope_starts(order: Int32s, scope_of: Int32s, scopes: int) -> Int64s:
    """Where each scope's slice begins in an order sorted by scope, and the end."""
    counts = np.bincount(scope_of[order], minlength=scopes) if len(order) else np.zeros(scopes)
    start = np.zeros(scopes + 1, dtype=np.int64)
    np.cumsum(counts, out=start[1:])
    return start


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

    def spread(self, order: Int32s, user: Int32s, repository: Int32s) -> tuple[Int32s, Int64s]:
        """Per team, its scope's positions in the order of `order`, and the teams' starts."""
        positions, start = _spread_to_teams(
            order, user, repository, self.team_at, self.team_of, self.covers
        )
        return positions, start
