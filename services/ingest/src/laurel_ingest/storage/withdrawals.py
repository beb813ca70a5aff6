"""Signals taken back: key and row removed, and noted with the reason."""

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Credits that a lesser source gave for a commit whose authors a better one has told by now.
_LESSER_CREDITS: Final = """
    SELECT k.content_hash, k.user_id, k.signal_id, k.event_timestamp
    FROM (
        SELECT content_hash, max(standing) AS best
        FROM signal_keys
        WHERE content_hash IN (SELECT content_hash FROM staged_signals WHERE type = 'commit')
        GROUP BY content_hash
        HAVING min(standing) < max(standing)
    ) AS told
    JOIN signal_keys AS k ON k.content_hash = told.content_hash AND k.standing < told.best
"""

_UNNAMED: Final = """
    SELECT k.content_hash, k.user_id, k.signal_id, k.event_timestamp
    FROM (
        SELECT sha256((type || '|' || repository_id::text || '|' || identity)::bytea)
            AS content_hash, standing
        FROM unnest(
            CAST(:types AS text[]), CAST(:repository_ids AS bigint[]), CAST(:identities AS text[]),
            CAST(:standings AS smallint[])
        ) AS scope (type, repository_id, identity, standing)
    ) AS possible
    JOIN signal_keys AS k
        ON k.content_hash = possible.content_hash AND k.standing <= possible.standing
    WHERE NOT EXISTS (
        SELECT 1 FROM staged_signals AS s
        WHERE s.content_hash = k.content_hash AND s.credited_id = k.user_id
    )
"""

_TAKE: Final = text(
    """
    WITH chosen AS (
        SELECT content_hash, user_id, signal_id, event_timestamp
        FROM unnest(
            CAST(:content_hashes AS bytea[]), CAST(:user_ids AS bigint[]),
            CAST(:signal_ids AS bigint[]), CAST(:timestamps AS timestamptz[])
        ) AS chosen (content_hash, user_id, signal_id, event_timestamp)
    ), keys AS (
        DELETE FROM signal_keys AS k USING chosen AS c
        WHERE k.content_hash = c.content_hash AND k.user_id = c.user_id
        RETURNING k.signal_id, k.event_timestamp, k.standing
    ), gone AS (
        DELETE FROM signals AS s USING keys
        WHERE s.id = keys.signal_id AND s.event_timestamp = keys.event_timestamp
            AND s.event_timestamp BETWEEN :first AND :last
        RETURNING s.installation_id, s.repository_id, s.user_id, s.type, s.value,
            s.event_timestamp, s.content_hash, s.metadata, keys.standing
    ), noted AS (
        INSERT INTO signal_withdrawals
            (installation_id, repository_id, user_id, type, value, event_timestamp, content_hash,
            metadata, standing, reason)
        SELECT installation_id, repository_id, user_id, type, value, event_timestamp,
            content_hash, metadata, standing, :reason
        FROM gone
        RETURNING installation_id, decode(content_hash, 'hex') AS content_hash,
            CASE type WHEN 'commit' THEN user_id ELSE 0 END AS credited_id
    )
    SELECT installation_id, array_agg(content_hash), array_agg(credited_id)
    FROM noted GROUP BY installation_id
    """
)


_CREDITED_ALREADY: Final = """
    SELECT k.content_hash, k.user_id, k.signal_id, k.event_timestamp
    FROM signal_keys AS k
    JOIN signal_keys AS own ON own.content_hash = k.content_hash AND own.user_id = :to
    WHERE k.user_id = :from AND k.content_hash = ANY (CAST(:content_hashes AS bytea[]))
"""

Taken = Mapping[int, tuple[Sequence[bytes], Sequence[int]]]
"""By installation, the keys of what was taken: content hashes and credited users."""


class Withdrawals:
    """Takes signals back in the transaction that its connection is in.

    Each method answers what was taken from each installation.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lesser_credits(self) -> Taken:
        """Of the staged commits, credits that a better source contradicts."""
        return await self._take(_LESSER_CREDITS, "better_source", {})

    async def unnamed(self, scope: pa.Table, reason: str) -> Taken:
        """Signals in scope that are not staged, unless a better source wrote them."""
        values: dict[str, object] = {
            "types": scope["type"].to_pylist(),
            "repository_ids": scope["repository_id"].to_pylist(),
            "identities": scope["identity"].to_pylist(),
            "standings": scope["standing"].to_pylist(),
        }
        return await self._take(_UNNAMED, reason, values)

    async def credited_already(
        self, from_user_id: int, to_user_id: int, content_hashes: Sequence[bytes]
    ) -> Taken:
        """Of these, commits credited to a user that another one has credit for as well."""
        values = {"from": from_user_id, "to": to_user_id, "content_hashes": list(content_hashes)}
        return await self._take(_CREDITED_ALREADY, "claimed", values)

    async def _take(self, chosen: str, reason: str, values: dict[str, object]) -> Taken:
        rows = (await self._connection.execute(text(chosen), values)).all()
        if not rows:
            return {}
        timestamps = [row[3] for row in rows]
        taken = await self._connection.execute(
            _TAKE,
            {
                "content_hashes": [row[0] for row in rows],
                "user_ids": [row[1] for row in rows],
                "signal_ids": [row[2] for row in rows],
                "timestamps": timestamps,
                "first": min(timestamps),
                "last": max(timestamps),
                "reason": reason,
            },
        )
        return {row[0]: (row[1], row[2]) for row in taken}
