"""The use case BeginInstall: sends somebody to GitHub to install the App."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from laurel_common.clock import Clock
from laurel_common.errors import InvalidPageToken
from laurel_common.page_token import PageTokens
from laurel_identity.application.github import AppClient
from laurel_identity.application.installation_ports import PendingInstalls
from laurel_identity.domain.errors import InstallStateExpired, InstallStateInvalid

# Whoever installs may have to look for what to give the App.
LASTS = timedelta(hours=1)
_KIND = "install state"


class InstallStates:
    """Signed states, good once, and only for the user who set out where it is known who did."""

    def __init__(self, seals: PageTokens, pending: PendingInstalls, clock: Clock) -> None:
        self._seals = seals
        self._pending = pending
        self._clock = clock

    async def make(self, user_id: int | None) -> tuple[str, datetime]:
        """A state, and when it ends. Raises DependencyUnavailable."""
        nonce, expires_at = secrets.token_hex(16), self._clock.now() + LASTS
        await self._pending.put(nonce)
        values = {"n": nonce, "e": int(expires_at.timestamp()), "u": user_id}
        return self._seals.seal(_KIND, values), expires_at

    async def take(self, state: str, user_id: int) -> None:
        """Uses a state up. Raises InstallStateInvalid, InstallStateExpired,
        DependencyUnavailable.
        """
        try:
            payload = self._seals.open(_KIND, state)
        except InvalidPageToken as error:
            raise InstallStateInvalid from error
        if payload["u"] not in {None, user_id}:
            raise InstallStateInvalid
        over = self._clock.now().timestamp() >= int(payload["e"])
        if over or not await self._pending.take(str(payload["n"])):
            raise InstallStateExpired


@dataclass(frozen=True, slots=True)
class BegunInstall:
    """Where somebody goes, and what comes back with the new installation."""

    install_url: str
    state: str
    expires_at: datetime


class BeginInstall:
    """Raises GitHubNotConfigured, what GitHub's side raises, DependencyUnavailable."""

    def __init__(self, app: AppClient, states: InstallStates) -> None:
        self._app = app
        self._states = states

    async def __call__(self, user_id: int | None) -> BegunInstall:
        url = await self._app.install_url()
        state, expires_at = await self._states.make(user_id)
        return BegunInstall(f"{url}?{urlencode({'state': state})}", state, expires_at)
