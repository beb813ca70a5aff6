"""Notes the check of boards that are not published again, in the transaction of a publisher."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_common.errors import ConcurrentChange
from laurel_leaderboard.domain.errors import NewerVersionExists
from laurel_leaderboard.domain.versions import PublishHeader, Unchanged

_NOTE_UNCHANGED = text(
    "UPDATE materialization_inputs AS i"
    " SET as_of = :as_of, input_mark = :input_mark, last_checked_at = :now,"
    " settled_mark = GREATEST(settled_mark, :stale_mark)"
    " FROM leaderboard_materializations AS m"
    " WHERE m.id = i.materialization_id AND m.preset_id = :preset_id"
    " AND m.retention_state = 'current' AND m.time_period = CAST(:period AS score_time_period)"
    " AND i.as_of = :known_as_of AND i.input_mark = :known_mark"
    " RETURNING i.materialization_id"
)


async def note_unchanged(
    connection: AsyncConnection, header: PublishHeader, boards: Sequence[Unchanged], now: datetime
) -> list[int]:
    """The ids of their versions. Raises ConcurrentChange where there are others than told,
    NewerVersionExists where one would go back in time.
    """
    ids: list[int] = []
    for each in boards:
        if header.as_of <= each.as_of:
            raise NewerVersionExists
        found = await connection.execute(
            _NOTE_UNCHANGED,
            {
                "preset_id": header.preset.preset_id,
                "period": each.period.value,
                "known_as_of": each.as_of,
                "known_mark": each.input_mark,
                "as_of": header.as_of,
                "input_mark": header.input_mark,
                "stale_mark": header.stale_mark,
                "now": now,
            },
        )
        noted = list(found.scalars())
        if len(noted) != each.count:
            raise ConcurrentChange("the unchanged boards are not the ones that were meant")
        ids += noted
    return ids
