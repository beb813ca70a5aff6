"""Which things of a repository a look through it has shown, beside what is known of them."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_ingest.application.history.ports import NewestPage
from laurel_ingest.domain.facts import (
    CommentFact,
    Fact,
    FactKey,
    IssueFact,
    PullFact,
    ReviewCommentFact,
    ReviewFact,
)
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
# Of a page of pull requests or issues: they themselves, those that are newer than its floor, and
# what hangs on either. What an archive took for the other kind is left alone here, too.
_MISSING: Final = text(
    """
    WITH standing AS (
        SELECT f.kind, f.key, f.body, CASE f.kind
            WHEN 'comment' THEN ARRAY[f.body -> 'number' ->> 2]
            WHEN 'pull_request' THEN ARRAY[f.key] WHEN 'issue' THEN ARRAY[f.key]
            ELSE ARRAY(SELECT jsonb_array_elements_text(f.body -> 'pull_numbers'))
        END AS numbers, (f.body -> CASE f.kind
            WHEN 'review' THEN 'submitted_at' ELSE 'created_at'
        END ->> 2)::bigint AS made_at
        FROM repository_facts AS f
        WHERE f.repository_id = :repository_id AND f.kind = ANY (CAST(:kinds AS text[]))
            AND f.body -> 'is_deleted' -> 2 IS DISTINCT FROM 'true'::jsonb
    ), spoken_of AS (
        SELECT array_agg(number) AS numbers FROM (
            SELECT unnest(CAST(:numbers AS text[])) AS number
            UNION SELECT key FROM standing WHERE kind = :kind AND made_at > :floor
        ) AS both_of_them
    )
    SELECT s.kind, s.key FROM standing AS s JOIN spoken_of AS p ON s.numbers && p.numbers
    WHERE s.made_at < :before
        AND (s.kind, s.key) NOT IN (
            SELECT kind, key
            FROM unnest(CAST(:shown_kinds AS text[]), CAST(:shown_keys AS text[])) AS w (kind, key)
        )
        AND (s.kind <> :kind OR NOT EXISTS (
            SELECT FROM repository_facts AS f
            WHERE f.repository_id = :repository_id AND f.kind = :other_kind AND f.key = s.key
        ))
    ORDER BY s.kind, s.key
    """
)
_HANGING: Final = {
    PullFact.kind: (ReviewFact.kind, ReviewCommentFact.kind, CommentFact.kind),
    IssueFact.kind: (CommentFact.kind,),
}
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

    async def missing(
        self, repository_id: int, shown: Collection[tuple[str, str]], page: NewestPage, before: int
    ) -> Sequence[tuple[str, str]]:
        """See SightingStore."""
        is_pulls = page.kind == PullFact.kind
        values = {
            "repository_id": repository_id,
            "kind": page.kind,
            "other_kind": IssueFact.kind if is_pulls else PullFact.kind,
            "kinds": [page.kind, *_HANGING[page.kind]],
            "numbers": list(page.numbers),
            "floor": page.floor,
            "before": before,
            "shown_kinds": [kind for kind, _ in shown],
            "shown_keys": [key for _, key in shown],
        }
        async with transaction(self._engine) as connection:
            return [(row[0], row[1]) for row in await connection.execute(_MISSING, values)]

    async def forget(self, repository_id: int) -> None:
        """See SightingStore."""
        async with transaction(self._engine) as connection:
            await connection.execute(_FORGET, {"repository_id": repository_id})
