"""Has GitHub list a session's installations again, every hour in which the session is used."""

import asyncio
import time
from collections.abc import Callable
from contextvars import Context
from datetime import datetime, timedelta

import structlog

from laurel_common.clock import Clock
from laurel_common.errors import LaurelError
from laurel_common.remembered import Kept
from laurel_identity.application.session_ports import SessionStore
from laurel_identity.application.sign_in_ports import UserClient
from laurel_identity.application.user_tokens import UserTokens
from laurel_identity.domain.errors import GitHubRefused
from laurel_identity.domain.sessions import LASTS

_EVERY = timedelta(hours=1)
# What failed is not tried again with every call.
_PAUSE = timedelta(minutes=1)
_AT_ONCE = 4
_MAX_KEPT = 100_000
_UNAUTHORIZED = 401

log = structlog.get_logger(__name__)


class DiscoverAgain:
    """For users who are no members: of them and a new installation, or one that they were taken out
    of, no webhook tells. Beside the call that it comes with, which neither waits nor fails.

    The hour counts from when the session was first met here: its sign-in has asked already, and a
    restart is no reason to ask about everybody at once.
    """

    def __init__(
        self,
        *,
        tokens: UserTokens,
        users: UserClient,
        sessions: SessionStore,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tokens
        self._users = users
        self._sessions = sessions
        self._clock = clock
        self._monotonic = monotonic
        self._asked: Kept[str, datetime] = Kept(limit=_MAX_KEPT, monotonic=monotonic)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()

    def __call__(self, session_id: str) -> None:
        """Notes that a session is in use. Returns at once."""
        now = self._clock.now()
        asked = self._asked.find(session_id)
        if asked is not None and now - asked < _EVERY:
            return
        self._note(session_id, now)
        if asked is not None:
            # A context of its own: the caller's deadline is not that of the session.
            task = asyncio.create_task(self._link(session_id, now), context=Context())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _link(self, session_id: str, now: datetime) -> None:
        try:
            async with self._turns:
                token = await self._tokens.token(session_id)
                await self._sessions.link(session_id, await self._users.installations(token))
        except GitHubRefused as error:
            if error.status == _UNAUTHORIZED:
                await self._tokens.refused(session_id)
            self._failed(session_id, now, error)
        except LaurelError as error:
            self._failed(session_id, now, error)

    def _failed(self, session_id: str, asked_at: datetime, error: Exception) -> None:
        log.warning("installations_undiscovered", error=type(error).__name__)
        self._note(session_id, asked_at - _EVERY + _PAUSE)

    def _note(self, session_id: str, asked_at: datetime) -> None:
        self._asked.keep(session_id, asked_at, self._monotonic() + LASTS.total_seconds())
