"""What sources told of without showing it, in PostgreSQL."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# The default branch as the facts know it by now; main or master where none does.
_NOTE: Final = text(
    """
    INSERT INTO coverage_gaps AS g (repository_id, reason, last_at)
    SELECT told.repository_id, told.reason, to_timestamp(max(told.at))
    FROM unnest(
        CAST(:repository_ids AS bigint[]), CAST(:reasons AS text[]), CAST(:branches AS text[]),
        CAST(:times AS bigint[])
    ) AS told (repository_id, reason, branch, at)
    JOIN repository_installations AS r ON r.repository_id = told.repository_id
    LEFT JOIN repository_facts AS f
        ON f.repository_id = told.repository_id AND f.kind = 'repository' AND f.key = ''
    WHERE coalesce(told.branch, '') = ''
        OR CASE WHEN f.body -> 'default_branch' ->> 2 IS NULL
            THEN told.branch IN ('main', 'master')
            ELSE told.branch = f.body -> 'default_branch' ->> 2 END
    GROUP BY told.repository_id, told.reason
    ORDER BY told.repository_id, told.reason
    ON CONFLICT ON CONSTRAINT pk_coverage_gaps DO UPDATE
    SET last_at = greatest(g.last_at, excluded.last_at)
    """
)


class GapTable:
    """Implements GapLog within a transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def note(self, lacks: Mapping[tuple[int, str, str | None], int]) -> None:
        """See GapLog."""
        values = {
            "repository_ids": [repository_id for repository_id, *_ in lacks],
            "reasons": [reason for _, reason, _ in lacks],
            "branches": [branch for *_, branch in lacks],
            "times": list(lacks.values()),
        }
        await self._connection.execute(_NOTE, values)
