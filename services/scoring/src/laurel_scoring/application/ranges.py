"""Boards over windows of the caller's own: what is read for one, and how it is evaluated."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from laurel_scoring.application.ports import BoardKey, Directory, Part, PresetStore, SignalSource
from laurel_scoring.domain.columns import Signals
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.errors import BoardNotFound
from laurel_scoring.domain.periods import (
    BEGINNING,
    Windows,
    from_microseconds,
    period_start,
    to_microseconds,
)
from laurel_scoring.domain.presets import Preset
from laurel_scoring.domain.roster import Roster
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.domain.timeline import Timeline
from laurel_scoring.domain.vocabulary import EntityType, ScopeType


@dataclass(frozen=True)
class RangeKey:
    """A board of [start, end), microseconds since 1970; start may be BEGINNING. preset_id 0 means
    the active preset, scope_id 0 with an organization the installation's own.
    """

    installation_id: int
    preset_id: int
    scope_type: ScopeType
    scope_id: int
    entity_type: EntityType
    start: int
    end: int


def window_of(board: BoardKey, as_of: datetime) -> RangeKey:
    """The range that is a board's window as of a moment."""
    last = to_microseconds(as_of)
    return RangeKey(
        installation_id=board.installation_id,
        preset_id=board.preset_id,
        scope_type=board.scope_type,
        scope_id=board.scope_id,
        entity_type=board.entity_type,
        start=period_start(board.time_period, last),
        end=last + 1,
    )


@dataclass(frozen=True)
class RangeInputs:
    """What a range is computed from; `scope_id` is the one that `key` means."""

    key: RangeKey
    scope_id: int
    preset: Preset
    signals: Signals
    evaluation: Evaluation


class ReadRange:
    """Reads the signals of the range alone, of its scope alone."""

    def __init__(self, presets: PresetStore, signals: SignalSource, directory: Directory) -> None:
        self._presets = presets
        self._signals = signals
        self._directory = directory

    async def preset(self, key: RangeKey) -> Preset:
        """The preset that scores the range. Raises InstallationNotFound, PresetNotFound."""
        await self._presets.ensure_default(key.installation_id, DEFAULT_RULES)
        return await self._presets.get(key.installation_id, key.preset_id)

    async def __call__(self, key: RangeKey, preset: Preset) -> RangeInputs:
        """Raises BoardNotFound where the installation has no such scope, RemoteError."""
        roster = await self._directory.roster(key.installation_id)
        scope_id = _scope_of(key, roster)
        read = await self._signals.read(
            key.installation_id,
            until=from_microseconds(key.end - 1),
            part=_part(key, scope_id, roster),
        )
        sorting = asyncio.create_task(asyncio.to_thread(Timeline.of, read.signals))
        bots = await self._directory.bots(read.signals.users.tolist())
        roster = replace(roster, bots=bots | read.bots)
        window = Windows.of_range(key.start, key.end)
        evaluation = await asyncio.to_thread(
            Evaluation, await sorting, roster, preset.rules, window
        )
        return RangeInputs(key, scope_id, preset, read.signals, evaluation)


def _scope_of(key: RangeKey, roster: Roster) -> int:
    if key.scope_type is ScopeType.ORGANIZATION:
        known: frozenset[int] = frozenset({roster.organization_id})
    elif key.scope_type is ScopeType.TEAM:
        known = frozenset(team.id for team in roster.teams)
    else:
        known = roster.repositories
    scope_id = key.scope_id
    if key.scope_type is ScopeType.ORGANIZATION and scope_id == 0:
        scope_id = roster.organization_id
    if scope_id not in known:
        raise BoardNotFound("the installation has no such organization, team or repository")
    return scope_id


def _part(key: RangeKey, scope_id: int, roster: Roster) -> Part:
    """What can be on a board of the scope; a team without members has nobody to read of."""
    since = None if key.start == BEGINNING else from_microseconds(key.start)
    if key.scope_type is ScopeType.REPOSITORY:
        return Part(since, repository_ids=(scope_id,))
    if key.scope_type is ScopeType.TEAM:
        (team,) = (each for each in roster.teams if each.id == scope_id)
        return Part(since, sorted(team.members) or (0,), sorted(team.repositories))
    return Part(since)
