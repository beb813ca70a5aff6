"""Tells all replicas of a publish, through PostgreSQL's NOTIFY, and hears of others'."""

import asyncio
from collections.abc import Callable

import psycopg
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_common.db.engine import psycopg_url
from laurel_common.errors import LaurelError

CHANNEL = "laurel_boards"
_PAUSE_SECONDS = 1.0
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', :installation_id)")

# Called with the installation whose boards changed, or None: it may have been any.
Heard = Callable[[int | None], None]

log = structlog.get_logger(__name__)


class PostgresNotices:
    """Announces on the pool, listens on a connection of its own that is made again when lost."""

    def __init__(self, engine: AsyncEngine, url: str, heard: Heard) -> None:
        self._engine = engine
        self._url = psycopg_url(url)
        self._heard = heard

    async def announce(self, installation_id: int) -> None:
        """Tells every replica, this one first. Never raises: pointers lapse soon anyhow."""
        self._heard(installation_id)
        try:
            async with transaction(self._engine) as connection:
                await connection.execute(_NOTIFY, {"installation_id": str(installation_id)})
        except LaurelError as error:
            log.warning("notice_lost", reason=error.reason)

    async def listen(self) -> None:
        """Hears until cancelled."""
        while True:
            try:
                await self._listen_once()
            except psycopg.Error as error:
                log.warning("notices_interrupted", error=type(error).__name__)
            except Exception:  # a fault in what one notice leads to must not end the listening
                log.exception("notices_interrupted")
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _listen_once(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, application_name="laurel-leaderboard-notices"
        )
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            # What was announced while nobody listened is not told again.
            self._heard(None)
            async for notice in connection.notifies():
                self._heard(_installation(notice.payload))


def _installation(payload: str) -> int | None:
    try:
        return int(payload)
    except ValueError:
        return None
