"""The use cases GetSession and ListSessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from laurel_common.clock import Clock
from laurel_common.errors import Unauthenticated
from laurel_identity.application.paging import Page, PageRequest, page_of
from laurel_identity.application.ports import DirectoryReader
from laurel_identity.application.session_ports import AccessReader, SessionReader, SessionStore
from laurel_identity.domain.entities import User
from laurel_identity.domain.sessions import Session


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session with its user, and the installations that the user may know of."""

    session: Session
    user: User
    installations: tuple[int, ...] = ()


class ViewSessions:
    """Raises DatabaseUnavailable."""

    def __init__(
        self,
        sessions: SessionReader,
        store: SessionStore,
        access: AccessReader,
        directory: DirectoryReader,
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._access = access
        self._directory = directory
        self._clock = clock

    async def one(self, session_id: str) -> SessionView:
        """The caller's own session; raises Unauthenticated where it ended meanwhile."""
        found = await self._sessions.sessions([session_id])
        session = found.get(session_id)
        if session is None:
            raise Unauthenticated
        users = await self._users([session])
        seen = await self._access.seen_installations(session_id)
        return SessionView(session, users[session.user_id], tuple(sorted(seen)))

    async def page(self, user_id: int, page: PageRequest[str]) -> Page[SessionView, str]:
        """A user's sessions that last."""
        rows = await self._store.sessions_of(user_id, self._clock.now(), page.after, page.size + 1)
        users = await self._users(rows[:1])
        views = [SessionView(each, users[each.user_id]) for each in rows]
        return page_of(views, page.size, lambda view: view.session.id)

    async def _users(self, sessions: Sequence[Session]) -> Mapping[int, User]:
        ids = {session.user_id for session in sessions}
        found = await self._directory.users(ids, bots_only=False) if ids else []
        return {user.id: user for user in found}
