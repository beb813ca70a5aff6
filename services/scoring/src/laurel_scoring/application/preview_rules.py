"""Tries rules on a board before anybody activates them; stores nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from laurel_common.auth.access import Access
from laurel_common.clock import Clock
from laurel_scoring.application.ports import BoardKey, Directory, Places, PresetStore
from laurel_scoring.application.ranges import RangeKey, ReadRange, window_of
from laurel_scoring.application.visibility import require_scope, sees_entity
from laurel_scoring.domain.errors import BoardNotFound
from laurel_scoring.domain.explanation import scope_position
from laurel_scoring.domain.presets import Preset, RulesEdit
from laurel_scoring.domain.preview import Preview, preview
from laurel_scoring.domain.rules import RuleSet
from laurel_scoring.domain.vocabulary import EntityType

DEFAULT_TOP_SIZE = 10


@dataclass(frozen=True)
class Candidate:
    """Rules over the current ones, or else a preset of the installation as it is."""

    rules: RulesEdit | None = None
    preset_id: int = 0


@dataclass(frozen=True)
class Previewed:
    """A preview, the rules of either side, and the names of the first `shown` entities."""

    key: RangeKey
    preset_id: int
    current_rules: RuleSet
    candidate_rules: RuleSet
    preview: Preview
    shown: int
    names: Mapping[int, str]


class PreviewRules:
    """Reads the window's signals once and evaluates them by both rule sets."""

    def __init__(
        self,
        *,
        presets: PresetStore,
        read: ReadRange,
        directory: Directory,
        places: Places,
        clock: Clock,
    ) -> None:
        self._presets = presets
        self._read = read
        self._directory = directory
        self._places = places
        self._clock = clock

    async def __call__(
        self, board: BoardKey | RangeKey, candidate: Candidate, max_entries: int, access: Access
    ) -> Previewed:
        """The preview of `candidate` against the preset that `board` names, of at most so many
        entries; 0 means all. A board's window is that of now.

        Raises InvalidRequest, InstallationNotFound, PresetNotFound, BoardNotFound,
        ScoreOutOfRange, InstallationBusy, Overloaded, RemoteError.
        """
        key = board if isinstance(board, RangeKey) else window_of(board, self._clock.now())
        require_scope(access, key.scope_type, key.scope_id)
        current = await self._read.preset(key)
        rules = await self._rules(key, candidate, current)
        with self._places.place(key.installation_id):
            found = await self._preview(replace(key, preset_id=current.id), current, rules)
        shown = min(max_entries or len(found), len(found))
        names = await self._names(key, found, shown, access)
        return Previewed(key, current.id, current.rules, rules, found, shown, names)

    async def _rules(self, key: RangeKey, candidate: Candidate, current: Preset) -> RuleSet:
        if candidate.rules is not None:
            return candidate.rules.over(current.rules)
        return (await self._presets.get(key.installation_id, candidate.preset_id)).rules

    async def _preview(self, key: RangeKey, current: Preset, rules: RuleSet) -> Preview:
        read = await self._read(key, current)
        scope = scope_position(read.evaluation, key.scope_type, read.scope_id)
        if scope is None:
            raise BoardNotFound
        return await asyncio.to_thread(
            preview, read.evaluation, rules, key.scope_type, scope, key.entity_type
        )

    async def _names(
        self, key: RangeKey, found: Preview, shown: int, access: Access
    ) -> Mapping[int, str]:
        ids = found.entity_ids()[:shown].tolist()
        kind: EntityType = key.entity_type
        seen = [each for each in ids if sees_entity(access, kind, each)]
        return await self._directory.names(key.installation_id, kind, seen)
