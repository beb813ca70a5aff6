"""Asks GitHub, with a session's own token, what its user can read and whether it is an admin."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from laurel_common.clock import Clock
from laurel_common.errors import LaurelError
from laurel_common.remembered import Remembered
from laurel_identity.application.discover import Discover
from laurel_identity.application.session_ports import SessionStore
from laurel_identity.application.sign_in_ports import UserClient
from laurel_identity.application.user_tokens import UserTokens
from laurel_identity.domain.access import ADMIN, Standing
from laurel_identity.domain.errors import GitHubRefused, SessionNotFound

ROLE_SECONDS = 60.0
# What failed is not tried again with every call.
_PAUSE_SECONDS = 30.0
_MAX_KEPT = 10_000
_UNAUTHORIZED = 401

log = structlog.get_logger(__name__)


class AskGitHub:
    """Raises SessionNotFound where GitHub does not take the session's token any more: the session
    has ended then. Whoever only reads waits for GitHub for `patience` seconds.
    """

    def __init__(
        self,
        *,
        tokens: UserTokens,
        users: UserClient,
        discover: Discover,
        sessions: SessionStore,
        clock: Clock,
        patience: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tokens
        self._users = users
        self._discover = discover
        self._sessions = sessions
        self._clock = clock
        self._patience = patience
        self._roles: Remembered[tuple[str, int], str] = Remembered(
            limit=_MAX_KEPT, monotonic=monotonic
        )
        self._failed: Remembered[tuple[str, int], bool] = Remembered(
            limit=_MAX_KEPT, monotonic=monotonic
        )

    async def reread(self, standing: Standing) -> Standing:
        """The standing with what the session can read now; as it was where GitHub is silent."""
        key = (standing.session_id, standing.installation_id)
        if self._failed.find(key):
            return standing
        try:
            async with asyncio.timeout(self._patience):
                token = await self._tokens.token(standing.session_id)
                readable = await self._discover.read(
                    standing.session_id, token, standing.installation_id
                )
        except SessionNotFound:
            raise
        except GitHubRefused as error:
            if error.status == _UNAUTHORIZED:
                await self._tokens.refused(standing.session_id)
                raise SessionNotFound from error
            await self._pause(key, error)
        except (LaurelError, TimeoutError) as error:
            await self._pause(key, error)
        else:
            return replace(standing, readable=readable, read_at=self._clock.now())
        return standing

    async def is_admin(self, standing: Standing) -> bool:
        """Whether GitHub calls the user an admin of the account; kept for 60 seconds.

        Raises what the ports do.
        """
        if standing.owns:
            return True
        key = (standing.session_id, standing.account_id)
        return await self._roles.get(key, lambda: self._role(standing)) == ADMIN

    def forget(self, concerns: Callable[[str], bool] = lambda _: True) -> None:
        """Asks again about the sessions whose ids `concerns` holds for."""
        self._roles.forget(lambda key: concerns(key[0]))

    async def _role(self, standing: Standing) -> tuple[str, float]:
        try:
            token = await self._tokens.token(standing.session_id)
            role = await self._users.role(token, standing.account_login) or ""
        except GitHubRefused as error:
            if error.status == _UNAUTHORIZED:
                await self._tokens.refused(standing.session_id)
                raise SessionNotFound from error
            raise
        if role and role != standing.role:
            await self._sessions.note_role(standing.user_id, standing.account_id, role)
        return role, ROLE_SECONDS

    async def _pause(self, key: tuple[str, int], error: Exception) -> None:
        log.warning("repositories_unread", error=type(error).__name__)

        async def failed() -> tuple[bool, float]:
            return True, _PAUSE_SECONDS

        await self._failed.get(key, failed)
