"""Facts, their links and who synthetic people turned out to be, in PostgreSQL."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_ingest.domain.facts import Fact, FactKey, from_json, key_of, to_json
from laurel_ingest.domain.linking import PERSON, links_of, synthetic_people
from laurel_ingest.storage.arrays import numbers, texts
from laurel_ingest.storage.signal_moves import redirected

CLAIMS_LOCK: Final = 0x51670002

_KEYS: Final = """
    unnest(CAST(:repository_ids AS bigint[]), CAST(:kinds AS text[]), CAST(:keys AS text[]))
        AS wanted (repository_id, kind, key)
"""

_LOAD: Final = text(
    f"""
    SELECT f.repository_id, f.kind, f.key, f.body::text
    FROM {_KEYS}
    JOIN repository_facts AS f ON f.repository_id = wanted.repository_id
        AND f.kind = wanted.kind AND f.key = wanted.key
    """  # noqa: S608 - put together from constants
)

_KNOWN: Final = text(
    """
    SELECT repository_id FROM unnest(CAST(:repository_ids AS bigint[])) AS told (repository_id)
    WHERE EXISTS (
        SELECT FROM repository_facts AS f WHERE f.repository_id = told.repository_id
    )
    """
)

_POINTING_AT: Final = text(
    f"""
    SELECT DISTINCT l.repository_id, l.kind, l.key
    FROM {_KEYS}
    JOIN repository_fact_links AS l ON l.repository_id = wanted.repository_id
        AND l.target_kind = wanted.kind AND l.target_key = wanted.key
    """  # noqa: S608 - put together from constants
)

_SAVE: Final = text(
    """
    INSERT INTO repository_facts (repository_id, kind, key, standing, body)
    SELECT repository_id, kind, key, standing, body::jsonb
    FROM unnest(
        CAST(:repository_ids AS bigint[]), CAST(:kinds AS text[]), CAST(:keys AS text[]),
        CAST(:standings AS smallint[]), CAST(:bodies AS text[])
    ) AS told (repository_id, kind, key, standing, body)
    ORDER BY repository_id, kind, key
    ON CONFLICT ON CONSTRAINT pk_repository_facts DO UPDATE
    SET standing = excluded.standing, body = excluded.body
    """
)

_LINK: Final = text(
    """
    INSERT INTO repository_fact_links (repository_id, kind, key, target_kind, target_key)
    SELECT repository_id, kind, key, target_kind, target_key
    FROM unnest(
        CAST(:repository_ids AS bigint[]), CAST(:kinds AS text[]), CAST(:keys AS text[]),
        CAST(:target_kinds AS text[]), CAST(:target_keys AS text[])
    ) AS told (repository_id, kind, key, target_kind, target_key)
    ON CONFLICT ON CONSTRAINT pk_repository_fact_links DO NOTHING
    """
)

_CLAIM: Final = text(
    """
    INSERT INTO synthetic_user_claims AS claim (synthetic_id, user_id)
    SELECT synthetic_id, user_id
    FROM unnest(CAST(:synthetic_ids AS bigint[]), CAST(:user_ids AS bigint[]))
        AS told (synthetic_id, user_id)
    ORDER BY synthetic_id
    ON CONFLICT ON CONSTRAINT pk_synthetic_user_claims DO UPDATE SET user_id = excluded.user_id
    WHERE excluded.user_id < claim.user_id
    RETURNING synthetic_id
    """
)

_TOLD: Final = text(
    """
    SELECT synthetic_id, user_id FROM synthetic_user_claims
    WHERE synthetic_id = ANY (CAST(:synthetic_ids AS bigint[]))
    """
)
# An operator's word stands over what sources tell.
_CLAIMS_OF: Final = text(
    """
    SELECT id, coalesce(decided.user_id, told.user_id)
    FROM unnest(CAST(:synthetic_ids AS bigint[])) AS id
    LEFT JOIN author_claims AS decided ON decided.synthetic_id = id AND NOT decided.is_released
    LEFT JOIN synthetic_user_claims AS told ON told.synthetic_id = id
    WHERE num_nonnulls(decided.user_id, told.user_id) > 0
    """
)

_NOTE_LOGINS: Final = text(
    """
    INSERT INTO author_logins (synthetic_id, login)
    SELECT synthetic_id, login
    FROM unnest(CAST(:synthetic_ids AS bigint[]), CAST(:logins AS text[]))
        AS told (synthetic_id, login)
    ORDER BY synthetic_id
    ON CONFLICT ON CONSTRAINT pk_author_logins DO UPDATE SET login = excluded.login
    """
)
_AUTHORS_CALLED: Final = text(
    """
    SELECT synthetic_id, login FROM author_logins WHERE login = ANY (CAST(:logins AS text[]))
    """
)

_CREDITING: Final = text(
    """
    SELECT DISTINCT repository_id, kind, key FROM repository_fact_links
    WHERE target_kind = 'person' AND target_key = ANY (CAST(:targets AS text[]))
    """
)

_COMMITS_OF: Final = text(
    """
    SELECT repository_id, kind, key FROM repository_facts
    WHERE repository_id = ANY (CAST(:repository_ids AS bigint[])) AND kind = 'commit'
    """
)
_UNMET_OF: Final = text(
    """
    SELECT repository_id, kind, key FROM repository_facts
    WHERE repository_id = ANY (CAST(:repository_ids AS bigint[])) AND kind = 'commit'
        AND body -> 'walked' -> 2 IS DISTINCT FROM 'true'::jsonb
    """
)
_UNWALKED_OF: Final = text(
    """
    SELECT repository_id, kind, key FROM repository_facts
    WHERE repository_id = ANY (CAST(:repository_ids AS bigint[])) AND kind = 'commit'
        AND NOT body ? 'walked'
    """
)

_COMMENTS_ON: Final = text(
    """
    SELECT f.repository_id, f.kind, f.key
    FROM unnest(CAST(:repository_ids AS bigint[]), CAST(:numbers AS text[]))
        AS wanted (repository_id, number)
    JOIN repository_facts AS f ON f.repository_id = wanted.repository_id AND f.kind = 'comment'
        AND f.body -> 'number' ->> 2 = wanted.number
    """
)

_TENANTS: Final = text(
    """
    WITH told AS (
        INSERT INTO repository_installations (repository_id, installation_id)
        SELECT repository_id, installation_id
        FROM unnest(CAST(:repository_ids AS bigint[]), CAST(:installation_ids AS bigint[]))
            AS told (repository_id, installation_id)
        ORDER BY repository_id
        ON CONFLICT ON CONSTRAINT pk_repository_installations DO UPDATE
        SET installation_id = excluded.installation_id
        WHERE repository_installations.installation_id <> excluded.installation_id
    )
    SELECT repository_id, installation_id FROM repository_installations
    WHERE repository_id = ANY (CAST(:others AS bigint[]))
    """
)


class PostgresFacts:
    """Reads and writes in the transaction that its connection is in."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def claim(self, claims: Mapping[int, int]) -> set[int]:
        """Adds claims under a lock that importers with nothing to claim share."""
        known = await self._told(claims)
        fresh = {
            synthetic_id: user_id
            for synthetic_id, user_id in claims.items()
            if synthetic_id not in known or user_id < known[synthetic_id]
        }
        lock = "pg_advisory_xact_lock" if fresh else "pg_advisory_xact_lock_shared"
        await self._connection.execute(text(f"SELECT {lock}(:key)"), {"key": CLAIMS_LOCK})
        if not fresh:
            return set()
        rows = await self._connection.execute(
            _CLAIM, {"synthetic_ids": list(fresh), "user_ids": list(fresh.values())}
        )
        return {row[0] for row in rows}

    async def _told(self, synthetic_ids: Collection[int]) -> dict[int, int]:
        """What sources have told so far."""
        if not synthetic_ids:
            return {}
        rows = await self._connection.execute(_TOLD, {"synthetic_ids": list(synthetic_ids)})
        return {row[0]: row[1] for row in rows}

    async def note_logins(self, logins: Mapping[int, str]) -> None:
        """Remembers logins of authors."""
        if logins:
            values = {"synthetic_ids": list(logins), "logins": list(logins.values())}
            await self._connection.execute(_NOTE_LOGINS, values)

    async def authors_called(self, logins: Collection[str]) -> dict[int, str]:
        """Authors whose account has one of these logins."""
        rows = await self._connection.execute(_AUTHORS_CALLED, {"logins": list(logins)})
        return {row[0]: row[1] for row in rows}

    async def claims_of(self, synthetic_ids: Collection[int]) -> dict[int, int]:
        """Claims on these ids."""
        if not synthetic_ids:
            return {}
        rows = await self._connection.execute(_CLAIMS_OF, {"synthetic_ids": list(synthetic_ids)})
        return {row[0]: row[1] for row in rows}

    async def standing_claims(self, synthetic_ids: Collection[int]) -> dict[int, int]:
        """Claims, under the lock that whoever claims something waits for."""
        lock = text("SELECT pg_advisory_xact_lock_shared(:key)")
        await self._connection.execute(lock, {"key": CLAIMS_LOCK})
        return await self.claims_of(synthetic_ids)

    async def crediting(self, synthetic_ids: Collection[int]) -> set[FactKey]:
        """Facts that credit any of these ids, in any repository."""
        if not synthetic_ids:
            return set()
        return await self._keys(_CREDITING, targets=[str(each) for each in synthetic_ids])

    async def known_repositories(self, repository_ids: Collection[int]) -> set[int]:
        """Repositories with facts."""
        values = {"repository_ids": list(repository_ids)}
        return set((await self._connection.execute(_KNOWN, values)).scalars())

    async def load(self, keys: Collection[FactKey]) -> dict[FactKey, Fact]:
        """Facts under these keys."""
        if not keys:
            return {}
        rows = await self._connection.execute(_LOAD, _key_columns(keys))
        return {
            key: from_json(key, orjson.loads(body))
            for repository_id, kind, name, body in rows
            if (key := (repository_id, kind, name))
        }

    async def pointing_at(self, keys: Collection[FactKey]) -> set[FactKey]:
        """Facts that link to these."""
        return await self._keys(_POINTING_AT, **_key_columns(keys)) if keys else set()

    async def commits_of(self, repository_ids: Collection[int]) -> set[FactKey]:
        """Every commit of these repositories."""
        if not repository_ids:
            return set()
        return await self._keys(_COMMITS_OF, repository_ids=list(repository_ids))

    async def unmet_commits_of(self, repository_ids: Collection[int]) -> set[FactKey]:
        """Commits of these repositories that stand by a push, if at all."""
        if not repository_ids:
            return set()
        return await self._keys(_UNMET_OF, repository_ids=list(repository_ids))

    async def unwalked_commits_of(self, repository_ids: Collection[int]) -> set[FactKey]:
        """Commits of these repositories that no walk has spoken of."""
        if not repository_ids:
            return set()
        return await self._keys(_UNWALKED_OF, repository_ids=list(repository_ids))

    async def comments_on(self, things: Collection[FactKey]) -> set[FactKey]:
        """Comments on these issues and pull requests; seldom asked, and no index knows them."""
        if not things:
            return set()
        repository_ids, numbers = [key[0] for key in things], [key[2] for key in things]
        return await self._keys(_COMMENTS_ON, repository_ids=repository_ids, numbers=numbers)

    async def installations(
        self, told: Mapping[int, int], repository_ids: Collection[int]
    ) -> dict[int, int]:
        """Installations as told, and as remembered of the other repositories; of what has moved
        meanwhile, where it is now.
        """
        told = await redirected(self._connection, told)
        rows = await self._connection.execute(
            _TENANTS,
            {
                "repository_ids": list(told),
                "installation_ids": list(told.values()),
                "others": [each for each in repository_ids if each not in told],
            },
        )
        return {**told, **{row[0]: row[1] for row in rows}}

    async def save(self, facts: Sequence[Fact]) -> None:
        """Facts and what they link to."""
        if not facts:
            return
        columns = _key_columns(key_of(fact) for fact in facts)
        columns["standings"] = numbers(getattr(fact, "standing", 0) or 1 for fact in facts)
        columns["bodies"] = texts(orjson.dumps(to_json(fact)).decode() for fact in facts)
        await self._connection.execute(_SAVE, columns)
        links = [
            (key_of(fact), target)
            for fact in facts
            for target in (
                *links_of(fact),
                *((fact.repository_id, PERSON, str(each)) for each in synthetic_people(fact)),
            )
        ]
        if links:
            linked = _key_columns(source for source, _ in links)
            linked["target_kinds"] = texts(target[1] for _, target in links)
            linked["target_keys"] = texts(target[2] for _, target in links)
            await self._connection.execute(_LINK, linked)

    async def _keys(self, statement: Any, **values: Any) -> set[FactKey]:
        rows = await self._connection.execute(statement, values)
        return {(row[0], row[1], row[2]) for row in rows}


def _key_columns(keys: Iterable[FactKey]) -> dict[str, Any]:
    columns = list(zip(*keys, strict=True)) or [(), (), ()]
    return {
        "repository_ids": numbers(columns[0]),
        "kinds": texts(columns[1]),
        "keys": texts(columns[2]),
    }
