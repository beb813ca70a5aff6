"""Whom authors are by an operator's word, and the signals that follow it, in PostgreSQL."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import run_transaction, transaction
from laurel_common.errors import ConcurrentChange
from laurel_ingest.application.claim_author import AuthorClaim
from laurel_ingest.application.errors import UserNotFound
from laurel_ingest.domain.facts import FactKey
from laurel_ingest.domain.linking import PERSON
from laurel_ingest.storage.fact_store import CLAIMS_LOCK
from laurel_ingest.storage.scoring_notices import note_change
from laurel_ingest.storage.signal_moves import adopters
from laurel_ingest.storage.signal_writer import lock_repositories
from laurel_ingest.storage.withdrawals import Withdrawals

# Whoever stores facts of the same repositories waits for one of these.
FACTS: Final = 500
SIGNALS: Final = 2_000
_CONSTRAINTS: Final = {"fk_author_claims_user": UserNotFound}

_LOCK: Final = text("SELECT pg_advisory_xact_lock(:key)")
_KNOWN: Final = text(
    "SELECT user_id, is_released, finished_at IS NULL FROM author_claims"
    " WHERE synthetic_id = :synthetic_id"
)
_SAY: Final = text(
    """
    INSERT INTO author_claims (synthetic_id, user_id, is_released, begun_at)
    VALUES (:synthetic_id, :user_id, :is_released, :now)
    ON CONFLICT ON CONSTRAINT pk_author_claims DO UPDATE
    SET user_id = excluded.user_id, is_released = excluded.is_released,
        begun_at = excluded.begun_at, moved_count = 0, finished_at = NULL,
        after_repository_id = NULL, after_kind = NULL, after_key = NULL
    """
)
_THIS: Final = """
    synthetic_id = :synthetic_id AND user_id = :user_id AND is_released = :is_released
        AND finished_at IS NULL
"""
_NEXT: Final = text(
    f"""
    SELECT DISTINCT l.repository_id, l.kind, l.key
    FROM author_claims AS c
    JOIN repository_fact_links AS l ON l.target_kind = '{PERSON}' AND l.target_key = :target
    WHERE c.synthetic_id = :synthetic_id AND (c.after_repository_id IS NULL
        OR (l.repository_id, l.kind, l.key)
            > (c.after_repository_id, c.after_kind, c.after_key))
    ORDER BY l.repository_id, l.kind, l.key LIMIT :limit
    """  # noqa: S608 - put together from constants
)
_PASSED: Final = text(
    f"""
    UPDATE author_claims
    SET after_repository_id = :repository_id, after_kind = :kind, after_key = :key,
        moved_count = moved_count + :moved
    WHERE {_THIS}
    """  # noqa: S608 - likewise
)
_FINISH: Final = text(f"UPDATE author_claims SET finished_at = :now WHERE {_THIS}")  # noqa: S608 - likewise

# What comes back are those that went along.
_WENT: Final = """
    (CAST(:is_released AS boolean) IS FALSE OR EXISTS (
        SELECT FROM claimed_signals AS c
        WHERE c.synthetic_id = :synthetic_id AND c.content_hash = decode(s.content_hash, 'hex')
    ))
"""
_WHERE: Final = text(
    f"SELECT DISTINCT repository_id FROM signals AS s WHERE user_id = :from AND {_WENT} ORDER BY 1"  # noqa: S608 - likewise
)
_SLICE: Final = text(
    f"""
    SELECT decode(content_hash, 'hex'), event_timestamp FROM signals AS s
    WHERE repository_id = :repository_id AND user_id = :from AND {_WENT}
    LIMIT :limit
    """  # noqa: S608 - likewise
)
_MOVE: Final = text(
    """
    WITH moved AS (
        UPDATE signals SET user_id = :to
        WHERE user_id = :from AND repository_id = :repository_id
            AND event_timestamp BETWEEN :first AND :last
            AND content_hash = ANY (CAST(:names AS text[]))
        RETURNING installation_id, decode(content_hash, 'hex') AS content_hash, type
    ), keyed AS (
        UPDATE signal_keys AS k SET user_id = :to FROM moved AS m
        WHERE m.type = 'commit' AND k.content_hash = m.content_hash AND k.user_id = :from
    )
    SELECT installation_id, count(*) FROM moved GROUP BY installation_id
    """
)
_REMEMBER: Final = text(
    """
    INSERT INTO claimed_signals (synthetic_id, content_hash)
    SELECT :synthetic_id, unnest(CAST(:hashes AS bytea[]))
    ON CONFLICT ON CONSTRAINT pk_claimed_signals DO NOTHING
    """
)
_FORGET: Final = text(
    "DELETE FROM claimed_signals"
    " WHERE synthetic_id = :synthetic_id AND content_hash = ANY (CAST(:hashes AS bytea[]))"
)
# The revision has no row among the changes: whoever knows an earlier one reads everything.
_REVISE: Final = text(
    """
    UPDATE installation_signal_states AS state
    SET revision = state.revision + 1, signal_count = greatest(state.signal_count - less.count, 0)
    FROM unnest(CAST(:installation_ids AS bigint[]), CAST(:less AS bigint[]))
        AS less (installation_id, count)
    WHERE state.installation_id = less.installation_id
    """
)


class AuthorClaimTables:
    """Implements AuthorClaims."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def begin(self, claim: AuthorClaim, now: datetime) -> bool:
        """See AuthorClaims. Nobody stores facts meanwhile, so all that do later know of it."""
        values = _values(claim) | {"now": now}

        async def work(connection: AsyncConnection) -> bool:
            await connection.execute(_LOCK, {"key": CLAIMS_LOCK})
            known = (await connection.execute(_KNOWN, values)).one_or_none()
            if known is None and claim.is_released:
                return False
            if known is not None:
                user_id, was_released, is_open = known
                if (user_id, was_released) == (claim.user_id, claim.is_released):
                    return bool(is_open)
                if user_id != claim.user_id and not (was_released and not is_open):
                    raise ConcurrentChange
            await connection.execute(_SAY, values)
            return True

        return await run_transaction(self._engine, work, constraints=_CONSTRAINTS)

    async def next_facts(self, claim: AuthorClaim) -> Sequence[FactKey]:
        """See AuthorClaims."""
        values = _values(claim) | {"target": str(claim.synthetic_id), "limit": FACTS}
        async with transaction(self._engine) as connection:
            rows = await connection.execute(_NEXT, values)
            return [(row[0], row[1], row[2]) for row in rows]

    async def passed(self, claim: AuthorClaim, last: FactKey, moved: int) -> None:
        """See AuthorClaims."""
        place = {"repository_id": last[0], "kind": last[1], "key": last[2], "moved": moved}
        async with transaction(self._engine) as connection:
            await connection.execute(_PASSED, _values(claim) | place)

    async def loose(self, claim: AuthorClaim) -> AsyncGenerator[int]:
        """See AuthorClaims."""
        values = _values(claim)
        async with transaction(self._engine) as connection:
            repositories = list(await connection.scalars(_WHERE, values))
        for repository_id in repositories:
            while taken := await self._slice(values | {"repository_id": repository_id}):
                yield taken

    async def finish(self, claim: AuthorClaim, now: datetime) -> None:
        """See AuthorClaims."""
        async with transaction(self._engine) as connection:
            await connection.execute(_FINISH, _values(claim) | {"now": now})

    async def _slice(self, values: Mapping[str, Any]) -> int:
        async def work(connection: AsyncConnection) -> int:
            await lock_repositories(connection, [values["repository_id"]])
            chosen = (await connection.execute(_SLICE, {**values, "limit": SIGNALS})).all()
            if not chosen:
                return 0
            hashes = [bytes(row[0]) for row in chosen]
            times = [row[1] for row in chosen]
            taken = await Withdrawals(connection).credited_already(
                values["from"], values["to"], hashes
            )
            less = {each: len(gone) for each, (gone, _) in taken.items()}
            moved = await connection.execute(
                _MOVE,
                {
                    **values,
                    "first": min(times),
                    "last": max(times),
                    "names": [each.hex() for each in hashes],
                },
            )
            for installation_id, _ in moved:
                less.setdefault(installation_id, 0)
            note = _FORGET if values["is_released"] else _REMEMBER
            await connection.execute(note, {**values, "hashes": hashes})
            await _revise(connection, less)
            return len(chosen)

        return await run_transaction(self._engine, work)


async def _revise(connection: AsyncConnection, less: Mapping[int, int]) -> None:
    """Notes what changed, by installation; rows that are moving count where they are going."""
    into = await adopters(connection, less)
    belonging: dict[int, int] = {}
    for installation_id, count in less.items():
        owner = into.get(installation_id, installation_id)
        belonging[owner] = belonging.get(owner, 0) + count
    values = {"installation_ids": sorted(belonging)}
    await connection.execute(
        _REVISE, values | {"less": [belonging[each] for each in values["installation_ids"]]}
    )
    await note_change(connection, values["installation_ids"])


def _values(claim: AuthorClaim) -> dict[str, Any]:
    there, back = claim.user_id, claim.synthetic_id
    return {
        "synthetic_id": claim.synthetic_id,
        "user_id": claim.user_id,
        "is_released": claim.is_released,
        "from": there if claim.is_released else back,
        "to": back if claim.is_released else there,
    }
