"""All boards of an installation out of one ordered set of columns: pure, no clock, no I/O."""

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import replace
from functools import cached_property

import numpy as np

from laurel_scoring.domain.columns import Flags, Int32s, Int64s, positions_in
from laurel_scoring.domain.evaluation import evaluate_runs
from laurel_scoring.domain.grouping import Groups, Runs, Scopes, TeamIndex
from laurel_scoring.domain.periods import Windows
from laurel_scoring.domain.results import BoardFamily, Rows, ranked
from laurel_scoring.domain.roster import Roster, sorted_ids, team_index
from laurel_scoring.domain.rules import RuleSet
from laurel_scoring.domain.team_sums import joined_rows, members_rows, team_rows
from laurel_scoring.domain.timeline import Timeline
from laurel_scoring.domain.vocabulary import (
    ENTITIES_OF,
    EntityType,
    ScopeType,
    SignalFlag,
    ZeroPointKind,
)


class Evaluation:
    """One scoring of an installation: its timeline, roster, rules and windows.

    Families of boards are made one at a time, so that one can be published while the next is
    computed; of the scopes in `only`, where given, and of all otherwise. Signals outside the
    windows or the roster's repositories count nowhere, and bots' neither while the condition
    bot_activity is on.
    """

    def __init__(
        self,
        timeline: Timeline,
        roster: Roster,
        rules: RuleSet,
        windows: Windows,
        only: Mapping[ScopeType, Int64s] | None = None,
    ) -> None:
        self._only = only
        self.rules = rules
        self.windows = windows
        self.roster = roster
        self.repositories = sorted_ids(roster.repositories)
        self.timeline = _within(timeline, windows, self.repositories)
        self._kept: tuple[ScopeType, Rows] | None = None

    def under(self, rules: RuleSet) -> "Evaluation":
        """The same by other rules; what does not depend on them is not done again."""
        other = copy(self)
        other.rules, other._kept = rules, None
        bots = ZeroPointKind.BOT_ACTIVITY
        if (bots in rules.zero_points) != (bots in self.rules.zero_points):
            for name in ("left_out", "_positions", "_by_user", "_by_repository"):
                vars(other).pop(name, None)
        return other

    def families(self) -> Iterator[BoardFamily]:
        """Every board: the organization's, the teams', the repositories'."""
        for scope_type in ScopeType:
            if self._only is not None and not len(self._only[scope_type]):
                continue
            for entity_type in ENTITIES_OF[scope_type]:
                yield self.family(scope_type, entity_type)

    def board_count(self) -> int:
        """How many boards there are, of all scopes."""
        scopes = {
            ScopeType.ORGANIZATION: 1,
            ScopeType.TEAM: len(self.roster.teams),
            ScopeType.REPOSITORY: len(self.repositories),
        }
        kinds = sum(count * len(ENTITIES_OF[scope_type]) for scope_type, count in scopes.items())
        return kinds * len(self.windows.starts)

    def family(self, scope_type: ScopeType, entity_type: EntityType) -> BoardFamily:
        """The boards of one kind of scope and entity."""
        scope_ids = self.scope_ids(scope_type)
        if entity_type is EntityType.REPOSITORY:
            rows = self._rows(self.runs(scope_type, entity_type), scope_ids, limited=False)
            entity_ids = self.repositories
        else:
            rows = self._members(scope_type)
            entity_ids = self.timeline.users
        signal_count = _signals_per_board(rows)
        member_count = None
        if entity_type is EntityType.TEAM:
            rows = team_rows(rows, self.teams)
            entity_ids, member_count = self.teams.ids, self.teams.member_count
        return ranked(
            rows,
            scope_type=scope_type,
            entity_type=entity_type,
            scope_ids=scope_ids,
            entity_ids=entity_ids,
            windows=len(self.windows.starts),
            signal_count=signal_count,
            member_count=member_count,
        )

    def runs(
        self, scope_type: ScopeType, entity_type: EntityType, *, but: Flags | None = None
    ) -> Runs:
        """Who did what in each scope, but the teams in `but`: runs of contributors, or of
        repositories.
        """
        line = self.timeline
        of_repositories = entity_type is EntityType.REPOSITORY
        groups = self._by_repository if of_repositories else self._by_user
        if scope_type is ScopeType.TEAM:
            index = self._team_scopes if but is None else self._team_scopes.without(but)
            return groups.runs_within(index.scopes(), line.user, line.repository)
        if scope_type is ScopeType.REPOSITORY:
            return groups.runs_within(self._repository_scopes(), line.repository, line.user)
        return groups.runs()

    def scope_ids(self, scope_type: ScopeType) -> Int64s:
        """The ids of the scopes of a kind that are evaluated, ascending."""
        if self._only is not None:
            return self._only[scope_type]
        if scope_type is ScopeType.TEAM:
            return self.teams.ids
        if scope_type is ScopeType.REPOSITORY:
            return self.repositories
        return np.array([self.roster.organization_id], dtype=np.int64)

    @cached_property
    def left_out(self) -> Int32s:
        """Positions on the roster's repositories that count nowhere: those of bots."""
        in_sight = np.flatnonzero(self.timeline.repository >= 0).astype(np.int32)
        return np.setdiff1d(in_sight, self._positions, assume_unique=True)

    @cached_property
    def teams(self) -> TeamIndex:
        """The roster's teams over the ids of the timeline."""
        return team_index(self.roster, self.timeline.users, self.repositories)

    @cached_property
    def _team_scopes(self) -> TeamIndex:
        """The teams whose scopes are evaluated."""
        if self._only is None:
            return self.teams
        wanted = set(self._only[ScopeType.TEAM].tolist())
        some = replace(self.roster, teams=tuple(t for t in self.roster.teams if t.id in wanted))
        return team_index(some, self.timeline.users, self.repositories)

    def _repository_scopes(self) -> Scopes:
        """The repositories whose scopes are evaluated, as scopes of themselves."""
        wanted = self.scope_ids(ScopeType.REPOSITORY)
        place = positions_in(self.repositories, wanted)
        at = np.concatenate([[0], np.cumsum(place >= 0)]).astype(np.int64)
        everything = np.empty((len(wanted), 0), dtype=np.uint8)
        return Scopes(len(wanted), at, place[place >= 0], everything)

    def _members(self, scope_type: ScopeType) -> Rows:
        """The contributors' rows, kept until another kind of scope is asked for."""
        if self._kept is None or self._kept[0] is not scope_type:
            if scope_type is ScopeType.TEAM:
                self._kept = scope_type, self._team_members()
            else:
                runs = self.runs(scope_type, EntityType.CONTRIBUTOR)
                self._kept = scope_type, self._rows(runs, self.scope_ids(scope_type), limited=True)
        return self._kept[1]

    def _team_members(self) -> Rows:
        """The contributors' rows on the teams' boards. Those of teams on all repositories are the
        organization's: only what the others' members did is evaluated once more.
        """
        index = self._team_scopes
        wide: Flags = np.all(index.covers, axis=1)
        if bool(wide.all()):
            return members_rows(self._members(ScopeType.ORGANIZATION), index, wide)
        runs = self.runs(ScopeType.TEAM, EntityType.CONTRIBUTOR, but=wide)
        own = self._rows(runs, index.ids, limited=True)
        if not bool(wide.any()):
            return own
        return joined_rows(members_rows(self._members(ScopeType.ORGANIZATION), index, wide), own)

    def _rows(self, runs: Runs, scope_ids: Int64s, *, limited: bool) -> Rows:
        return evaluate_runs(
            self.timeline, runs, self.rules, self.windows, scopes=len(scope_ids), limited=limited
        )

    @cached_property
    def _positions(self) -> Int32s:
        return np.flatnonzero(_counts(self.timeline, self.roster, self.rules)).astype(np.int32)

    @cached_property
    def _by_user(self) -> Groups:
        return Groups.of(self._positions, self.timeline.user, len(self.timeline.users))

    @cached_property
    def _by_repository(self) -> Groups:
        return Groups.of(self._positions, self.timeline.repository, len(self.repositories))


def _within(timeline: Timeline, windows: Windows, repositories: Int64s) -> Timeline:
    """The signals inside the widest window, over the roster's repositories (-1: none of them).

    The words are a slice of the given ones: nothing is copied but the repository positions.
    """
    when = timeline.event_timestamp
    first = int(np.searchsorted(when, windows.starts[0], side="left"))
    end = int(np.searchsorted(when, windows.last, side="right"))
    known = positions_in(timeline.repositories, repositories)
    return Timeline(
        event_timestamp=when[first:end],
        words=timeline.words[first:end],
        user=timeline.user[first:end],
        repository=known[timeline.repository[first:end]],
        source=timeline.source[first:end],
        users=timeline.users,
        repositories=repositories,
    )


def _counts(timeline: Timeline, roster: Roster, rules: RuleSet) -> Flags:
    """Which signals count: step 1 of one signal, and the roster's repositories."""
    counts: Flags = timeline.repository >= 0
    if ZeroPointKind.BOT_ACTIVITY in rules.zero_points:
        bot_users = np.isin(timeline.users, sorted_ids(roster.bots))
        flagged = (timeline.flags() & int(SignalFlag.IS_BOT)) != 0
        counts &= ~(flagged | bot_users[timeline.user])
    return counts


def _signals_per_board(rows: Rows) -> Int64s:
    running = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(rows.counts.sum(axis=1), out=running[1:])
    per_board: Int64s = running[rows.board_start[1:]] - running[rows.board_start[:-1]]
    return per_board
