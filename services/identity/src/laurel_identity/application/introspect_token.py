"""The use case IntrospectToken: whose session a token opens."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from laurel_common.clock import Clock
from laurel_common.errors import DatabaseUnavailable
from laurel_identity.application.batched import Batched
from laurel_identity.application.session_ports import RecentAnswers, SessionReader
from laurel_identity.application.session_text import session_from_text, session_to_text
from laurel_identity.domain.sessions import Session, TokenState, session_id_of

# What holds here after two seconds and elsewhere after three more holds everywhere after five.
KEPT_HERE_SECONDS = 2.0
KEPT_SECONDS = 5.0
_MAX_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Introspection:
    """What a token is worth; `session` where it is active. The answer may be kept for `keep`."""

    state: TokenState
    session: Session | None
    keep: timedelta


@dataclass(frozen=True, slots=True)
class _Read:
    """A session as it stood at an instant of the monotonic clock."""

    session: Session | None
    at: float


class IntrospectToken:
    """Raises DatabaseUnavailable while PostgreSQL is away, for sessions that nobody asked about
    within the last minute. A database that takes longer than `patience` seconds is away.
    """

    def __init__(
        self,
        sessions: SessionReader,
        recent: RecentAnswers,
        clock: Clock,
        *,
        patience: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sessions = sessions
        self._recent = recent
        self._clock = clock
        self._patience = patience
        self._monotonic = monotonic
        self._kept: Batched[str, _Read] = Batched(
            self._read, seconds=KEPT_HERE_SECONDS, limit=_MAX_KEPT, monotonic=monotonic
        )

    async def __call__(self, token: str) -> Introspection:
        session_id = session_id_of(token)
        read = self._kept.find(session_id)
        if read is None:
            read = await self._kept.get(session_id)
        session = read.session
        keep = timedelta(seconds=max(0.0, read.at + KEPT_SECONDS - self._monotonic()))
        if session is None:
            return Introspection(TokenState.UNKNOWN, None, keep)
        now = self._clock.now()
        if session.is_over(now):
            # Gone on sight; where the database does not answer, its time has passed all the same.
            self._kept.forget(lambda key: key == session_id)
            await self._end(session_id)
            return Introspection(TokenState.EXPIRED, None, keep)
        return Introspection(TokenState.ACTIVE, session, min(keep, session.expires_at - now))

    def forget(self, concerns: Callable[[str], bool] = lambda _: True) -> None:
        """Reads the sessions whose ids `concerns` holds for again, when they are asked about."""
        self._kept.forget(concerns)

    async def _read(self, ids: Collection[str]) -> Mapping[str, _Read | Exception]:
        at = self._monotonic()
        try:
            async with asyncio.timeout(self._patience):
                found = await self._sessions.sessions(ids)
        except (DatabaseUnavailable, TimeoutError) as error:
            recent = await asyncio.gather(*(self._recent.find(each, each) for each in ids))
            return {
                each: _unavailable(error)
                if text is None
                else _Read(session_from_text(each, text), at)
                for each, text in zip(ids, recent, strict=True)
            }
        for session_id, session in found.items():
            self._recent.note(session_id, session_to_text(session))
        return {each: _Read(found.get(each), at) for each in ids}

    async def _end(self, session_id: str) -> None:
        try:
            await self._sessions.end(session_id)
        except DatabaseUnavailable:
            return


def _unavailable(cause: Exception) -> DatabaseUnavailable:
    error = DatabaseUnavailable()
    error.__cause__ = cause
    return error
