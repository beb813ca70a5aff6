"""Makes, changes, deletes and activates presets, each change noted with who made it."""

from laurel_common.clock import Clock
from laurel_scoring.application.ports import Actor, PresetEditor, PresetStore
from laurel_scoring.domain.presets import Preset, PresetEdit, RulesEdit
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.domain.runs import Run


class ChangePresets:
    """The four changes; an installation that was never heard of gets its `default` first."""

    def __init__(
        self,
        presets: PresetStore,
        editor: PresetEditor,
        clock: Clock,
    ) -> None:
        self._presets = presets
        self._editor = editor
        self._clock = clock

    async def create(
        self, installation_id: int, name: str, rules: RulesEdit, *, request_id: str, by: Actor
    ) -> Preset:
        """A new preset, not active.

        Raises InvalidRequest, InstallationNotFound, PresetNameTaken.
        """
        checked = rules.over(DEFAULT_RULES)
        await self._presets.ensure_default(installation_id, DEFAULT_RULES)
        return await self._editor.create(
            installation_id, name, checked, request_id=request_id, by=by, now=self._clock.now()
        )

    async def update(
        self, installation_id: int, preset_id: int, edit: PresetEdit, *, by: Actor
    ) -> tuple[Preset, Run | None]:
        """The changed preset, and the run that scores by its rules if it is active.

        Raises InvalidRequest, InstallationNotFound, PresetNotFound, PresetNameTaken,
        PresetProtected, EtagStale.
        """
        await self._presets.ensure_default(installation_id, DEFAULT_RULES)
        return await self._editor.update(
            installation_id, preset_id, edit, by=by, now=self._clock.now()
        )

    async def delete(self, installation_id: int, preset_id: int, etag: str, *, by: Actor) -> None:
        """Raises InstallationNotFound, PresetNotFound, PresetProtected, EtagStale."""
        await self._presets.ensure_default(installation_id, DEFAULT_RULES)
        await self._editor.delete(installation_id, preset_id, etag, by=by, now=self._clock.now())

    async def activate(
        self, installation_id: int, preset_id: int, *, by: Actor
    ) -> tuple[Preset, Run]:
        """The preset, active, and the run that scores by it.

        Raises InstallationNotFound, PresetNotFound.
        """
        await self._presets.ensure_default(installation_id, DEFAULT_RULES)
        return await self._editor.activate(installation_id, preset_id, by=by, now=self._clock.now())
