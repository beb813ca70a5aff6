"""What has to be done about installations, in PostgreSQL: the truth that jobs are put for."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Delete, and_, delete, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.clock import Clock
from laurel_common.db import transaction
from laurel_common.jobs import JobQueue
from laurel_identity.domain.installations import UNINSTALLED
from laurel_identity.domain.works import Heir, Work, WorkKind, WorkOutcome
from laurel_identity.storage.installation_queries import is_of, primary_installations
from laurel_identity.storage.left_behind import follow_on
from laurel_identity.storage.tables import github_installations as installations
from laurel_identity.storage.tables import installation_works as works
from laurel_identity.storage.tables import repositories

_w = works.c
_IS_GONE: Final = or_(installations.c.app_id == 0, installations.c.suspended_by == UNINSTALLED)

# The oldest work of an account alone can be claimed: one that waits holds up those behind it.
_CLAIM: Final = text(
    """
    UPDATE installation_works SET attempts = attempts + 1
    WHERE id = (
        SELECT id FROM installation_works
        WHERE account_id = :account_id AND finished_at IS NULL ORDER BY id LIMIT 1
    ) AND (next_attempt_at IS NULL OR next_attempt_at <= :now) AND finished_at IS NULL
    RETURNING id, account_id, kind, installation_id, repository_id, into_installation_id, attempts
    """
)
_OPEN: Final = text(
    """
    SELECT account_id FROM (
        SELECT DISTINCT ON (account_id) account_id, next_attempt_at FROM installation_works
        WHERE finished_at IS NULL ORDER BY account_id, id
    ) AS oldest
    WHERE next_attempt_at IS NULL OR next_attempt_at <= :now
    """
)

_ERASE: Final = text(
    """
    INSERT INTO installation_works (account_id, kind, installation_id, requested_by)
    VALUES (:account_id, 'erase', :installation_id, :requested_by)
    ON CONFLICT DO NOTHING
    """
)
_ERASE_UNINSTALLED: Final = text(
    """
    INSERT INTO installation_works (account_id, kind, installation_id, requested_by)
    SELECT coalesce(organization_id, user_account_id), 'erase', installation_id, 'schedule'
    FROM github_installations
    WHERE suspended_by = 'uninstalled' AND suspended_at < :before
    ORDER BY installation_id
    ON CONFLICT DO NOTHING
    """
)


_FORGET_ACCOUNT: Final = text("SELECT forget_account(:account_id)")


class WorkTable:
    """Implements Works, Erasures, and the worker's OpenWork with accounts as its subjects."""

    def __init__(self, engine: AsyncEngine, queue: JobQueue, clock: Clock) -> None:
        self._engine = engine
        self._queue = queue
        self._clock = clock

    async def open_subjects(self) -> list[int]:
        """The accounts that have something to do by now."""
        async with transaction(self._engine) as connection:
            return list(await connection.scalars(_OPEN, {"now": self._clock.now()}))

    async def ensure_job(self, subject_id: int) -> None:
        """Puts a job for an account."""
        async with transaction(self._engine) as connection:
            await self._queue.put(connection, subject_id)

    async def claim(self, account_id: int, now: datetime) -> Work | None:
        """See Works."""
        async with transaction(self._engine) as connection:
            values = {"account_id": account_id, "now": now}
            row = (await connection.execute(_CLAIM, values)).one_or_none()
        if row is None:
            return None
        return Work(
            id=row.id,
            account_id=row.account_id,
            kind=WorkKind(row.kind),
            installation_id=row.installation_id,
            repository_id=row.repository_id,
            into_installation_id=row.into_installation_id,
            attempts=row.attempts,
        )

    async def aim(self, work: Work, into_installation_id: int) -> None:
        """See Works."""
        await self._change(work, into_installation_id=into_installation_id)

    async def finish(self, work: Work, outcome: WorkOutcome, now: datetime) -> None:
        """See Works."""
        await self._change(work, outcome=outcome.value, finished_at=now, last_error=None)

    async def retry(self, work: Work, error: str, at: datetime) -> None:
        """See Works."""
        await self._change(work, last_error=error, next_attempt_at=at)

    async def heir_of(self, account_id: int, installation_id: int) -> Heir | None:
        """See Works."""
        others = installations.c.installation_id != installation_id
        return await self._heir(and_(is_of([account_id]), others))

    async def heir_of_repository(self, repository_id: int) -> Heir | None:
        """See Works."""
        account = (
            select(repositories.c.organization_id)
            .where(repositories.c.id == repository_id)
            .scalar_subquery()
        )
        own = installations.c.organization_id, installations.c.user_account_id
        return await self._heir(or_(*(each == account for each in own)))

    async def heir(self, installation_id: int) -> Heir | None:
        """See Works."""
        return await self._heir(installations.c.installation_id == installation_id)

    async def request(self, installation_id: int, account_id: int, requested_by: str) -> None:
        """See Erasures."""
        values = {
            "installation_id": installation_id,
            "account_id": account_id,
            "requested_by": requested_by,
        }
        async with transaction(self._engine) as connection:
            await connection.execute(_ERASE, values)

    async def request_uninstalled(self, before: datetime) -> int:
        """See Erasures."""
        async with transaction(self._engine) as connection:
            return (await connection.execute(_ERASE_UNINSTALLED, {"before": before})).rowcount

    async def is_gone(self, installation_id: int) -> bool:
        """See Works."""
        there = select(installations.c.installation_id).where(
            installations.c.installation_id == installation_id, _IS_GONE.is_not(True)
        )
        async with transaction(self._engine) as connection:
            return await connection.scalar(there) is None

    async def erase(self, installation_id: int, account_id: int) -> None:
        """See Works."""
        async with transaction(self._engine) as connection:
            await connection.execute(_delete_gone(installation_id))
            await connection.execute(_FORGET_ACCOUNT, {"account_id": account_id})

    async def succeed(self, installation_id: int, heir: Heir) -> None:
        """See Works."""
        async with transaction(self._engine) as connection:
            await follow_on(connection, installation_id, heir)
            await connection.execute(_delete_gone(installation_id))

    async def _heir(self, where: ColumnElement[bool]) -> Heir | None:
        found = primary_installations(where).subquery("found")
        query = select(found.c.installation_id, found.c.account_id).limit(1)
        async with transaction(self._engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else Heir(*row)

    async def _change(self, work: Work, **values: Any) -> None:
        async with transaction(self._engine) as connection:
            await connection.execute(
                update(works).where(_w.id == work.id, _w.finished_at.is_(None)).values(**values)
            )


def _delete_gone(installation_id: int) -> Delete:
    """Deletes an installation that GitHub does not have."""
    return delete(installations).where(installations.c.installation_id == installation_id, _IS_GONE)
