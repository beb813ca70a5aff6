"""Sessions as they stand in auth_sessions."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Text, any_, bindparam, delete, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db.errors import typed_errors
from laurel_identity.domain.sessions import Session
from laurel_identity.storage.held_connection import HeldConnection
from laurel_identity.storage.tables import auth_sessions, users

SESSIONS = (
    select(
        auth_sessions.c.id,
        auth_sessions.c.user_id,
        users.c.login,
        auth_sessions.c.created_at,
        auth_sessions.c.expires_at,
    )
    .join(users, users.c.id == auth_sessions.c.user_id)
    # A row of another make: its tokens may stand there for everybody to read.
    .where(auth_sessions.c.tokens_encrypted)
)


_SESSIONS_OF_IDS: Final = SESSIONS.where(
    auth_sessions.c.id == any_(bindparam("ids", type_=ARRAY(Text)))
)
# The same: every lookup of a token comes by here.
_LOOK_UP: Final = """
    SELECT s.id, s.user_id, u.login, s.created_at, s.expires_at
    FROM auth_sessions AS s JOIN users AS u ON u.id = s.user_id
    WHERE s.tokens_encrypted AND s.id = ANY (%s)
"""


class SqlSessionReader:
    """A SessionReader over PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        # One statement each: a transaction around it would cost three more round trips.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def sessions(self, ids: Collection[str]) -> Mapping[str, Session]:
        """The sessions with these ids."""
        with typed_errors():
            async with self._engine.connect() as connection:
                found = await connection.execute(_SESSIONS_OF_IDS, {"ids": list(ids)})
                return {row[0]: Session(*row) for row in found}

    async def end(self, session_id: str) -> None:
        """Deletes a session, if it is still there."""
        with typed_errors():
            async with self._engine.connect() as connection:
                await connection.execute(
                    delete(auth_sessions).where(auth_sessions.c.id == session_id)
                )


class SqlSessionLookup(SqlSessionReader):
    """A SessionReader for one who reads all the time, and one read after the other."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self._held = HeldConnection(engine)

    async def sessions(self, ids: Collection[str]) -> Mapping[str, Session]:
        """The sessions with these ids."""
        rows = await self._held.fetch(_LOOK_UP, [list(ids)])
        return {row[0]: Session(*row) for row in rows}

    async def close(self) -> None:
        """Lets its connection go."""
        await self._held.close()
