"""Which things of a repository a look through it has shown, beside what is known of them."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_ingest.domain.facts import Fact, FactKey
from laurel_ingest.storage.fact_store import PostgresFacts

_SEE: Final = text(
    """
    INSERT INTO sighted_things AS s (repository_id, kind, key, sighted_at)
    SELECT :repository_id, kind, key, :at
    FROM unnest(CAST(:kinds AS text[]), CAST(:keys AS text[])) AS shown (kind, key)
    ORDER BY kind, key
    ON CONFLICT ON CONSTRAINT pk_sighted_things DO UPDATE
    SET sighted_at = excluded.sighted_at WHERE s.sighted_at < excluded.sighted_at
    """
)
# A number is one of the two: what an archive took for the other kind is left alone.
_UNSEEN: Final = text(
    """
    SELECT f.kind, f.key FROM repository_facts AS f
    WHERE f.repository_id = :repository_id
        AND f.kind IN ('pull_request', 'issue', 'review', 'review_comment', 'comment')
        AND (f.kind, f.key) > (CAST(:kind AS text), CAST(:key AS text))
        AND f.body -> 'is_deleted' -> 2 IS DISTINCT FROM 'true'::jsonb
        AND (f.body -> CASE f.kind WHEN 'review' THEN 'submitted_at' ELSE 'created_at' END
            ->> 2)::bigint < :before
        AND NOT EXISTS (
            SELECT FROM sighted_things AS s
            WHERE s.repository_id = f.repository_id AND s.key = f.key AND s.sighted_at = :at
                AND (s.kind = f.kind OR (
                    s.kind IN ('pull_request', 'issue') AND f.kind IN ('pull_request', 'issue')
                ))
        )
    ORDER BY f.kind, f.key LIMIT 500
    """
)
_FORGET: Final = text("DELETE FROM sighted_things WHERE repository_id = :repository_id")


class Sightings:
    """A SightingStore."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def facts(self, keys: Collection[FactKey]) -> dict[FactKey, Fact]:
        """See SightingStore."""
        async with transaction(self._engine) as connection:
            return await PostgresFacts(connection).load(keys)

    async def see(self, repository_id: int, things: Collection[tuple[str, str]], at: int) -> None:
        """See SightingStore."""
        values = {
            "repository_id": repository_id,
            "kinds": [kind for kind, _ in things],
            "keys": [key for _, key in things],
            "at": at,
        }
        async with transaction(self._engine) as connection:
            await connection.execute(_SEE, values)

    async def unseen(
        self, repository_id: int, at: int, before: int, after: tuple[str, str]
    ) -> Sequence[tuple[str, str]]:
        """See SightingStore."""
        kind, key = after
        values = {"repository_id": repository_id, "at": at, "before": before} | {
            "kind": kind,
            "key": key,
        }
        async with transaction(self._engine) as connection:
            return [(row[0], row[1]) for row in await connection.execute(_UNSEEN, values)]

    async def forget(self, repository_id: int) -> None:
        """See SightingStore."""
        async with transaction(self._engine) as connection:
            await connection.execute(_FORGET, {"repository_id": repository_id})
