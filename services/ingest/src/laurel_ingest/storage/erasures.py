"""Deletes what is kept of an installation, slice by slice."""

from collections.abc import AsyncGenerator
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import run_transaction, transaction
from laurel_ingest.storage.signal_slices import SLICE, SignalSlices

_SPAN: Final = text(
    """
    SELECT first_event_timestamp, last_event_timestamp FROM installation_signal_states
    WHERE installation_id = :from
    """
)
_DELETE_SIGNALS: Final = text(
    """
    WITH gone AS (
        DELETE FROM signals
        WHERE installation_id = :from AND repository_id = ANY (CAST(:repositories AS bigint[]))
            AND event_timestamp BETWEEN :first AND :last
        RETURNING decode(content_hash, 'hex') AS content_hash,
            CASE type WHEN 'commit' THEN user_id ELSE 0 END AS credited_id
    ), keys AS (
        DELETE FROM signal_keys AS k USING gone AS g
        WHERE k.content_hash = g.content_hash AND k.user_id = g.credited_id
    )
    SELECT count(*) FROM gone
    """
)
# Of repositories that were last imported for the installation; those that went to another have
# taken their facts along. Links go with their facts.
_DELETE_ROWS: Final = (
    text(
        """
        DELETE FROM repository_facts WHERE (repository_id, kind, key) IN (
            SELECT f.repository_id, f.kind, f.key
            FROM repository_installations AS r JOIN repository_facts AS f USING (repository_id)
            WHERE r.installation_id = :from LIMIT :limit
        )
        """
    ),
    text(
        """
        DELETE FROM signal_withdrawals WHERE id IN (
            SELECT id FROM signal_withdrawals WHERE installation_id = :from LIMIT :limit
        )
        """
    ),
    text(
        """
        DELETE FROM webhook_redeliveries WHERE delivery_id IN (
            SELECT delivery_id FROM webhook_redeliveries
            WHERE installation_id = :from LIMIT :limit
        )
        """
    ),
    text(
        """
        DELETE FROM webhook_deliveries WHERE id IN (
            SELECT id FROM webhook_deliveries WHERE installation_id = :from LIMIT :limit
        )
        """
    ),
    text(
        """
        DELETE FROM ingest_run_repositories WHERE id IN (
            SELECT w.id FROM ingest_runs AS r JOIN ingest_run_repositories AS w ON w.run_id = r.id
            WHERE r.installation_id = :from LIMIT :limit
        )
        """
    ),
    *(
        text(
            f"""
            DELETE FROM {table} WHERE repository_id IN (
                SELECT r.repository_id
                FROM repository_installations AS r JOIN {table} USING (repository_id)
                WHERE r.installation_id = :from LIMIT :limit
            )
            """  # noqa: S608 - put together from constants
        )
        for table in ("repository_sync_state", "coverage_gaps")
    ),
)
_IN_THE_END: Final = tuple(
    text(f"DELETE FROM {table} WHERE installation_id = :from")  # noqa: S608 - constants alone
    for table in (
        *("ingest_runs", "ingest_log", "repository_histories", "repository_installations"),
        *("installation_bots", "github_budgets", "scoring_notices", "installation_signal_states"),
    )
)


class ErasureTables:
    """Implements InstallationTraces. Decisions of people go with the installation's row: nobody
    here may delete them.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def forget(self, installation_id: int) -> AsyncGenerator[int]:
        """See InstallationTraces."""
        values = {"from": installation_id}
        async with transaction(self._engine) as connection:
            span = (await connection.execute(_SPAN, values)).one_or_none()
        if span is not None and span[0] is not None:
            slices = SignalSlices(self._engine, _DELETE_SIGNALS)
            async for count in slices.run(installation_id, (span[0], span[1])):
                yield count
        for statement in _DELETE_ROWS:
            while count := await self._delete(statement, values | {"limit": SLICE}):
                yield count

        async def end(connection: AsyncConnection) -> None:
            for statement in _IN_THE_END:
                await connection.execute(statement, values)

        await run_transaction(self._engine, end)

    async def _delete(self, statement: Any, values: dict[str, int]) -> int:
        async def work(connection: AsyncConnection) -> int:
            return (await connection.execute(statement, values)).rowcount

        return await run_transaction(self._engine, work)
