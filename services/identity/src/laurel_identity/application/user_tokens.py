"""A session's GitHub token, refreshed before it ends: once, whoever asks and wherever."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from datetime import timedelta
from typing import Any

from laurel_common.clock import Clock
from laurel_common.errors import LaurelError
from laurel_identity.application.end_sessions import EndSessions
from laurel_identity.application.session_ports import SessionStore
from laurel_identity.application.sign_in_ports import SignInClient
from laurel_identity.domain.errors import SessionNotFound
from laurel_identity.domain.github_tokens import GitHubTokens

# Longer than GitHub may take to answer.
LEASE = timedelta(seconds=15)
_LOOK_AGAIN_SECONDS = 0.1


class UserTokens:
    """Raises SessionNotFound for a session that is gone, or ends because GitHub refuses to
    refresh its token, and what GitHub's side raises.
    """

    def __init__(
        self, sessions: SessionStore, client: SignInClient, end_sessions: EndSessions, clock: Clock
    ) -> None:
        self._sessions = sessions
        self._client = client
        self._end_sessions = end_sessions
        self._clock = clock
        self._refreshing: set[asyncio.Task[str]] = set()

    async def token(self, session_id: str) -> str:
        """A token that GitHub takes now."""
        while True:
            tokens = await self._sessions.tokens(session_id)
            if tokens is None:
                await self._end_sessions.one(session_id)
                raise SessionNotFound
            now = self._clock.now()
            if tokens.is_fresh(now):
                return tokens.access
            if not tokens.can_refresh(now):
                return await self._last_of(session_id, tokens)
            if await self._sessions.lease(session_id, now, LEASE):
                return await self._to_its_end(self._refresh(session_id))
            # Somebody else asks GitHub right now; what has not ended yet is good meanwhile.
            if not tokens.is_over(now):
                return tokens.access
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def refused(self, session_id: str) -> None:
        """Ends a session whose token GitHub does not take any more."""
        await self._end_sessions.one(session_id)

    async def _to_its_end(self, refreshing: Coroutine[Any, Any, str]) -> str:
        """Goes on also where whoever asked does not wait: GitHub takes the old refresh token back
        as it gives a new one, and a session that lost that one is lost.
        """
        # A context of its own: the caller's deadline is not that of the session.
        task = asyncio.create_task(refreshing, context=Context())
        self._refreshing.add(task)
        task.add_done_callback(self._settle)
        return await asyncio.shield(task)

    def _settle(self, done: asyncio.Task[str]) -> None:
        self._refreshing.discard(done)
        # Asking for the exception marks it as seen, should everybody have gone away.
        if not done.cancelled():
            done.exception()

    async def _refresh(self, session_id: str) -> str:
        """Asks GitHub, holding the lease."""
        # Whoever held the lease before may have been through with it in between.
        tokens = await self._sessions.tokens(session_id)
        if tokens is None or tokens.refresh is None:
            raise SessionNotFound
        if tokens.is_fresh(self._clock.now()):
            await self._sessions.release(session_id)
            return tokens.access
        try:
            refreshed = await self._client.refresh(tokens.refresh)
        except LaurelError:
            await self._sessions.release(session_id)
            if tokens.is_over(self._clock.now()):
                raise
            return tokens.access
        if refreshed is None or not await self._sessions.replace_tokens(session_id, refreshed):
            await self._end_sessions.one(session_id)
            raise SessionNotFound
        return refreshed.access

    async def _last_of(self, session_id: str, tokens: GitHubTokens) -> str:
        """The token that nothing follows, for as long as it is good."""
        if tokens.is_over(self._clock.now()):
            await self._end_sessions.one(session_id)
            raise SessionNotFound
        return tokens.access
