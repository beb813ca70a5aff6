"""Keeps the table of sessions in order: what expired goes, what is old is encrypted anew."""

import asyncio
from itertools import count

import structlog

from laurel_common.errors import LaurelError
from laurel_identity.application.session_ports import SessionStore

_SLICE = 200
# Every so many rounds, sessions in use are waited for.
_THOROUGH = 60

log = structlog.get_logger(__name__)


class KeepSessions:
    """Raises DatabaseUnavailable."""

    def __init__(self, sessions: SessionStore, *, interval: float) -> None:
        self._sessions = sessions
        self._interval = interval

    async def run(self) -> None:
        """Clears away what expired, every `interval` seconds, until it is cancelled."""
        for number in count():
            await asyncio.sleep(self._interval)
            try:
                cleared = await self._sessions.clear_away(wait=number % _THOROUGH == 0)
            except LaurelError as error:
                log.warning("sessions_uncleared", error=type(error).__name__)
            except Exception:  # a fault in one round must not end all later ones
                log.exception("sessions_uncleared")
            else:
                if cleared:
                    log.info("sessions_cleared", count=cleared)

    async def rotate(self) -> tuple[int, int]:
        """Encrypts all tokens with the current key; how many sessions were rewritten, and how many
        no key opens.
        """
        after: str | None = ""
        rotated = unreadable = 0
        while after is not None:
            after, some, lost = await self._sessions.rotate(after, _SLICE)
            rotated, unreadable = rotated + some, unreadable + lost
        return rotated, unreadable
