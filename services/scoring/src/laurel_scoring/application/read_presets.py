"""Reads presets; an installation that was never heard of before gets its `default` first."""

from laurel_common.page_token import PageTokens
from laurel_scoring.application.ports import PresetStore
from laurel_scoring.domain.presets import Preset
from laurel_scoring.domain.rules import DEFAULT_RULES

DEFAULT_PAGE_SIZE = 50
_KIND = "presets"


class GetPreset:
    """One preset."""

    def __init__(self, presets: PresetStore) -> None:
        self._presets = presets

    async def __call__(self, installation_id: int, preset_id: int) -> Preset:
        """The preset; 0 is the active one. Raises InstallationNotFound, PresetNotFound."""
        await self._presets.ensure_default(installation_id, DEFAULT_RULES)
        return await self._presets.get(installation_id, preset_id)


class ListPresets:
    """The presets of an installation, by id."""

    def __init__(self, presets: PresetStore, tokens: PageTokens) -> None:
        self._presets = presets
        self._tokens = tokens

    async def __call__(
        self, installation_id: int, page_size: int, page_token: str
    ) -> tuple[list[Preset], str]:
        """A page and the token of the next one, "" after the last.

        Raises InstallationNotFound, InvalidPageToken.
        """
        binding, after = str(installation_id), 0
        if page_token:
            after = int(self._tokens.open(_KIND, page_token, binding=binding)["after"])
        await self._presets.ensure_default(installation_id, DEFAULT_RULES)
        size = page_size or DEFAULT_PAGE_SIZE
        found = await self._presets.list_after(installation_id, after, size + 1)
        page = found[:size]
        if len(found) <= size:
            return page, ""
        return page, self._tokens.seal(_KIND, {"after": page[-1].id}, binding=binding)
