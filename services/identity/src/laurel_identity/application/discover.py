"""Asks GitHub which installations a session has something of, and what it can read there."""

import asyncio

from laurel_common.clock import Clock
from laurel_identity.application.session_ports import SessionStore
from laurel_identity.application.sign_in_ports import UserClient


class Discover:
    """Raises what its ports do; what was found until then is kept."""

    def __init__(self, users: UserClient, sessions: SessionStore, clock: Clock) -> None:
        self._users = users
        self._sessions = sessions
        self._clock = clock

    async def __call__(self, session_id: str, token: str) -> None:
        """Links the session to the installations that Laurel knows of."""
        listed = await self._users.installations(token)
        known = await self._sessions.link(session_id, listed)
        await asyncio.gather(*(self.read(session_id, token, each) for each in known))

    async def read(self, session_id: str, token: str, installation_id: int) -> frozenset[int]:
        """Notes which repositories of an installation the session can read; these."""
        asked_at = self._clock.now()
        readable = frozenset(await self._users.repositories(token, installation_id))
        await self._sessions.note_readable(session_id, installation_id, readable, asked_at)
        return readable
