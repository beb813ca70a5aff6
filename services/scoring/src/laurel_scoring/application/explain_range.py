"""Why an entity stands where it stands on a board over a range."""

import asyncio

from laurel_common.auth.access import Access
from laurel_scoring.application.explained import Explained, LookUp, Origin, Question
from laurel_scoring.application.ports import Places
from laurel_scoring.application.ranges import RangeKey, ReadRange
from laurel_scoring.application.visibility import require_entity, require_scope
from laurel_scoring.domain.errors import EntityNotFound
from laurel_scoring.domain.explanation import explain


class ExplainRange:
    """A range explains itself: it is computed from what is there when it is asked for."""

    def __init__(self, *, read: ReadRange, look_up: LookUp, places: Places) -> None:
        self._read = read
        self._look_up = look_up
        self._places = places

    async def __call__(self, key: RangeKey, question: Question, access: Access) -> Explained:
        """Raises InstallationNotFound, PresetNotFound, BoardNotFound, EntityNotFound,
        ScoreOutOfRange, InstallationBusy, Overloaded, RemoteError.
        """
        require_scope(access, key.scope_type, key.scope_id)
        require_entity(access, question.entity_type, question.entity_id)
        preset = await self._read.preset(key)
        with self._places.place(key.installation_id):
            read = await self._read(key, preset)
            found = await asyncio.to_thread(
                explain,
                read.evaluation,
                key.scope_type,
                read.scope_id,
                key.entity_type,
                question.entity_id,
            )
            if found is None:
                raise EntityNotFound
            origin = Origin(preset.id, key.end - 1, preset.rules)
            return await self._look_up(question, origin, read.evaluation, read.signals, found)
