"""Whom GitHub's private addresses stand for."""

from collections.abc import Collection

from sqlalchemy import BigInteger, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_identity.domain.names import private_address_ids
from laurel_identity.storage.columns import Columns, unnested
from laurel_identity.storage.tables import private_addresses

_COLUMNS: Columns = [("synthetic_id", BigInteger()), ("user_id", BigInteger())]


class SqlPrivateAddressStore:
    """A PrivateAddressStore over PostgreSQL, within a transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, users: Collection[tuple[int, str]]) -> None:
        """Notes the addresses of these ids and logins, in the order of the index."""
        rows = sorted(
            {
                (synthetic_id, user_id)
                for user_id, login in users
                for synthetic_id in private_address_ids(user_id, login)
            }
        )
        if not rows:
            return
        new = unnested("new", _COLUMNS, rows)
        await self._connection.execute(
            insert(private_addresses)
            .from_select(["synthetic_id", "user_id"], select(new.c.synthetic_id, new.c.user_id))
            .on_conflict_do_nothing()
        )
