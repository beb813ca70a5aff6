"""Whose signals are another installation's by now: looked up by those who write and read them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_WHOLE: Final = text(
    """
    SELECT from_installation_id, into_installation_id FROM signal_moves
    WHERE repository_id = 0 AND from_installation_id = ANY (CAST(:installation_ids AS bigint[]))
    """
)

_REDIRECT_STAGED: Final = text(
    """
    UPDATE staged_signals AS s
    SET installation_id = (
        SELECT m.into_installation_id FROM signal_moves AS m
        WHERE m.from_installation_id = s.installation_id
            AND m.repository_id IN (0, s.repository_id)
        ORDER BY m.repository_id = 0 LIMIT 1
    )
    WHERE EXISTS (
        SELECT FROM signal_moves AS m
        WHERE m.from_installation_id = s.installation_id
            AND m.repository_id IN (0, s.repository_id)
    )
    """
)

_REDIRECT_TOLD: Final = text(
    """
    SELECT DISTINCT ON (told.repository_id) told.repository_id, m.into_installation_id
    FROM unnest(CAST(:repository_ids AS bigint[]), CAST(:installation_ids AS bigint[]))
        AS told (repository_id, installation_id)
    JOIN signal_moves AS m ON m.from_installation_id = told.installation_id
        AND m.repository_id IN (0, told.repository_id)
    ORDER BY told.repository_id, m.repository_id = 0
    """
)

_MOVED_FROM: Final = text(
    """
    SELECT EXISTS (
        SELECT FROM signal_moves
        WHERE from_installation_id = ANY (CAST(:installation_ids AS bigint[]))
    )
    """
)

# With a number as $1, for readers that have no other way to pass one.
SELECT_ADOPTED: Final = (
    "SELECT from_installation_id FROM signal_moves"
    " WHERE into_installation_id = $1 AND repository_id = 0 AND finished_at IS NULL"
)
_ADOPTED: Final = text(SELECT_ADOPTED.replace("$1", ":installation_id"))


async def read_along(connection: AsyncConnection, installation_id: int) -> list[int]:
    """Under which ids rows of an installation's signals stand: its own, and of those that are
    moving into it.
    """
    rows = await connection.execute(_ADOPTED, {"installation_id": installation_id})
    return [installation_id, *(row[0] for row in rows)]


async def adopters(
    connection: AsyncConnection, installation_ids: Collection[int]
) -> Mapping[int, int]:
    """By whom those of the installations were adopted that were."""
    values = {"installation_ids": list(installation_ids)}
    return {row[0]: row[1] for row in await connection.execute(_WHOLE, values)}


async def redirect_staged(connection: AsyncConnection, installation_ids: Sequence[int]) -> None:
    """Has staged signals of these installations written to where they belong.

    Asked after the writer has its locks: a move that began before has been committed by then.
    """
    moved = await connection.scalar(_MOVED_FROM, {"installation_ids": list(installation_ids)})
    if moved:
        await connection.execute(_REDIRECT_STAGED)


async def redirected(connection: AsyncConnection, told: Mapping[int, int]) -> dict[int, int]:
    """Installations by repository id, those that moved as they are now; likewise."""
    values = {"repository_ids": list(told), "installation_ids": list(told.values())}
    rows = await connection.execute(_REDIRECT_TOLD, values)
    return {**told, **{row[0]: row[1] for row in rows}}
