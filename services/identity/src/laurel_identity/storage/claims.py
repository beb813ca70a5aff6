"""Claims on synthetic users, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import run_transaction, transaction
from laurel_common.errors import Violation
from laurel_identity.domain.claims import Claim, Wanted, is_said_already
from laurel_identity.domain.errors import UserNotFound
from laurel_identity.storage.tables import identity_claims as claims
from laurel_identity.storage.tables import users

_c = claims.c
_COLUMNS: Final = (
    *(_c.id, _c.synthetic_user_id, _c.user_id, _c.is_release, _c.requested_by),
    *(_c.requested_at, _c.moved_count, _c.finished_at),
)
_DUE: Final = text(
    """
    SELECT DISTINCT ON (synthetic_user_id) id FROM identity_claims
    WHERE finished_at IS NULL ORDER BY synthetic_user_id, id
    """
)


class ClaimTable:
    """Implements Claims."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def say(self, wanted: Wanted, requested_by: str, now: datetime) -> Claim:
        """See Claims. Those who speak of one synthetic user take turns on its row."""

        async def work(connection: AsyncConnection) -> Claim:
            await _require_users(connection, wanted)
            query = select(*_COLUMNS).where(_c.synthetic_user_id == wanted.synthetic_user_id)
            row = (await connection.execute(query.order_by(_c.id.desc()).limit(1))).one_or_none()
            last = None if row is None else Claim(*row)
            if is_said_already(last, wanted) and last is not None:
                return last
            user_id = wanted.user_id if last is None or wanted.user_id else last.user_id
            said = insert(claims).values(
                synthetic_user_id=wanted.synthetic_user_id,
                user_id=user_id,
                is_release=wanted.user_id is None,
                requested_by=requested_by,
                requested_at=now,
            )
            return Claim(*(await connection.execute(said.returning(*_COLUMNS))).one())

        return await run_transaction(self._engine, work)

    async def due(self) -> Sequence[Claim]:
        """See Claims."""
        async with transaction(self._engine) as connection:
            ids = list(await connection.scalars(_DUE))
            rows = await connection.execute(select(*_COLUMNS).where(_c.id.in_(ids)).order_by(_c.id))
            return [Claim(*row) for row in rows]

    async def note(self, claim: Claim, moved_count: int, error: str | None = None) -> None:
        """See Claims."""
        await self._change(claim, moved_count=_c.moved_count + moved_count, last_error=error)

    async def finish(self, claim: Claim, now: datetime) -> None:
        """See Claims."""
        await self._change(claim, finished_at=now)

    async def _change(self, claim: Claim, **values: Any) -> None:
        open_ = update(claims).where(_c.id == claim.id, _c.finished_at.is_(None))
        async with transaction(self._engine) as connection:
            await connection.execute(open_.values(**values))


async def _require_users(connection: AsyncConnection, wanted: Wanted) -> None:
    """Holds the synthetic user's row; raises UserNotFound with the fields of those who are not."""
    named = {"synthetic_user_id": wanted.synthetic_user_id}
    if wanted.user_id is not None:
        named["user_id"] = wanted.user_id
    held = select(users.c.id).where(users.c.id == wanted.synthetic_user_id)
    known = set(await connection.scalars(held.with_for_update(key_share=True)))
    known |= set(await connection.scalars(select(users.c.id).where(users.c.id == wanted.user_id)))
    missing = [name for name, user_id in named.items() if user_id not in known]
    if missing:
        raise UserNotFound(
            violations=[Violation(name, "there is no such user") for name in missing]
        )
