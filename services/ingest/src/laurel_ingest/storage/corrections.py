"""Decisions about spam and bots, each noted with who made it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import transaction
from laurel_common.errors import InstallationNotFound
from laurel_ingest.application.corrections import Actor, InstallationBot, Thing
from laurel_ingest.application.errors import UserNotFound
from laurel_ingest.storage.scoring_notices import note_change
from laurel_ingest.storage.tables import installation_bots, signal_corrections

_CONSTRAINTS: Final = {
    "fk_installation_bots_installation": InstallationNotFound,
    "fk_installation_bots_user": UserNotFound,
    "fk_signal_corrections_installation": InstallationNotFound,
}

_TURNS: Final = 0x51670006
_BUCKETS: Final = 256
_TAKE_TURN: Final = text("SELECT pg_advisory_xact_lock(:class, :bucket)")

_ADD: Final = text(
    """
    INSERT INTO installation_bots (installation_id, user_id, added_by, created_at)
    SELECT :installation_id, user_id, :added_by, :now
    FROM unnest(CAST(:user_ids AS bigint[])) AS user_id
    ORDER BY user_id
    ON CONFLICT ON CONSTRAINT pk_installation_bots DO NOTHING
    RETURNING user_id
    """
)

_REMOVE: Final = text(
    """
    DELETE FROM installation_bots
    WHERE installation_id = :installation_id AND user_id = ANY (CAST(:user_ids AS bigint[]))
    RETURNING user_id
    """
)

_REVISE: Final = text(
    """
    INSERT INTO installation_signal_states AS state (installation_id) VALUES (:installation_id)
    ON CONFLICT ON CONSTRAINT pk_installation_signal_states
    DO UPDATE SET revision = state.revision + 1
    """
)


class CorrectionTable:
    """Implements CorrectionLog in the transaction that its connection is in."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take_turn(self, repository_id: int) -> None:
        """See CorrectionLog. Taken before any other lock, and by nobody who holds one."""
        values = {"class": _TURNS, "bucket": repository_id % _BUCKETS}
        await self._connection.execute(_TAKE_TURN, values)

    async def note_spam(
        self, installation_id: int, thing: Thing, *, flagged: bool, by: Actor, now: datetime
    ) -> None:
        """See CorrectionLog."""
        await self._connection.execute(
            signal_corrections.insert().values(
                installation_id=installation_id,
                action="spam_flagged" if flagged else "spam_unflagged",
                repository_id=thing.repository_id,
                thing=thing.identity,
                actor_kind=by.kind,
                actor_name=by.name,
                corrected_at=now,
            )
        )


class BotTable:
    """Implements BotList."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(
        self, installation_id: int, after: int | None, limit: int
    ) -> Sequence[InstallationBot]:
        """See BotList."""
        bot = installation_bots.c
        wanted = select(bot.user_id, bot.added_by, bot.created_at).where(
            bot.installation_id == installation_id
        )
        if after is not None:
            wanted = wanted.where(bot.user_id > after)
        async with transaction(self._engine) as connection:
            rows = await connection.execute(wanted.order_by(bot.user_id).limit(limit))
            return [InstallationBot(*row) for row in rows]

    async def change(
        self,
        installation_id: int,
        add: Collection[int],
        remove: Collection[int],
        *,
        by: Actor,
        now: datetime,
    ) -> tuple[int, int]:
        """See BotList."""
        whose = {"installation_id": installation_id}
        async with transaction(self._engine, constraints=_CONSTRAINTS) as connection:
            values = {**whose, "user_ids": list(add), "added_by": by.name, "now": now}
            added = [row[0] for row in await connection.execute(_ADD, values)]
            gone = await connection.execute(_REMOVE, {**whose, "user_ids": list(remove)})
            removed = [row[0] for row in gone]
            changes = [*((each, "bot_added") for each in added)]
            changes += [(each, "bot_removed") for each in removed]
            if changes:
                await connection.execute(
                    signal_corrections.insert(),
                    [
                        {
                            **whose,
                            "action": action,
                            "user_id": user_id,
                            "actor_kind": by.kind,
                            "actor_name": by.name,
                            "corrected_at": now,
                        }
                        for user_id, action in changes
                    ],
                )
                await connection.execute(_REVISE, whose)
                await note_change(connection, [installation_id])
        return len(added), len(removed)
