"""The use cases RevokeSession and RevokeAllSessions: sessions end, and everybody is told."""

from collections.abc import Callable, Collection

from laurel_identity.application.session_ports import Revocations, SessionStore
from laurel_identity.domain.errors import SessionNotFound

Forget = Callable[[Collection[str]], None]


class EndSessions:
    """What this process keeps about an ended session goes by `forget`, and what others keep by
    `revocations`.
    """

    def __init__(self, sessions: SessionStore, revocations: Revocations, forget: Forget) -> None:
        self._sessions = sessions
        self._revocations = revocations
        self._forget = forget

    async def revoke(self, session_id: str, *, user_id: int | None) -> None:
        """Ends a session, of this user where one is given. Raises SessionNotFound."""
        if not await self._sessions.end(session_id, user_id=user_id):
            raise SessionNotFound
        await self._tell([session_id])

    async def one(self, session_id: str) -> None:
        """Ends a session, if it is still there."""
        await self._sessions.end(session_id)
        await self._tell([session_id])

    async def all_of(self, user_id: int, *, but: str | None = None) -> int:
        """Ends all sessions of a user, but for one where it is named; how many."""
        ended = await self._sessions.end_all(user_id, but=but)
        if ended:
            await self._tell(ended)
        return len(ended)

    async def _tell(self, session_ids: Collection[str]) -> None:
        self._forget(session_ids)
        await self._revocations.revoke(session_ids)
