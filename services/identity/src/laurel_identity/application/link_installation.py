"""The use case LinkInstallation: somebody comes back from GitHub with an installation."""

from collections.abc import Collection
from typing import Protocol

from laurel_common.errors import InstallationNotFound
from laurel_identity.application.begin_install import InstallStates
from laurel_identity.application.ports import TenantReader
from laurel_identity.application.reread import Reread
from laurel_identity.application.take_in import TakeIn
from laurel_identity.domain.errors import AppNotInstalled, GitHubRefused, SessionNotFound
from laurel_identity.domain.hints import Hint, Part
from laurel_identity.domain.installations import Installation

_UNAUTHORIZED = 401


class SessionTokens(Protocol):
    """GitHub's tokens of sessions."""

    async def token(self, session_id: str) -> str:
        """A token that GitHub takes now. Raises SessionNotFound."""
        ...

    async def refused(self, session_id: str) -> None:
        """Ends a session whose token GitHub does not take any more."""
        ...


class UserInstallations(Protocol):
    """The installations that GitHub lists to a user."""

    async def installations(self, token: str) -> Collection[int]:
        """Their ids."""
        ...


class SessionLinks(Protocol):
    """Which installations a session has something of."""

    async def __call__(self, session_id: str, token: str) -> None:
        """Asks GitHub, and links the session to those that are known."""
        ...


class LinkInstallation:
    """Links what is in the caller's own list of installations at GitHub, and nothing else.

    Raises InstallStateInvalid, InstallStateExpired, InstallationNotFound, SessionNotFound, what
    Reread and TakeIn raise.
    """

    def __init__(
        self,
        *,
        states: InstallStates,
        tokens: SessionTokens,
        users: UserInstallations,
        links: SessionLinks,
        reread: Reread,
        take_in: TakeIn,
        tenants: TenantReader,
    ) -> None:
        self._states = states
        self._tokens = tokens
        self._users = users
        self._links = links
        self._reread = reread
        self._take_in = take_in
        self._tenants = tenants

    async def __call__(
        self, installation_id: int, state: str, *, session_id: str, user_id: int
    ) -> Installation:
        await self._states.take(state, user_id)
        token = await self._tokens.token(session_id)
        try:
            listed = await self._users.installations(token)
        except GitHubRefused as error:
            if error.status == _UNAUTHORIZED:
                await self._tokens.refused(session_id)
                raise SessionNotFound from None
            raise
        if installation_id not in listed:
            raise InstallationNotFound
        await self._take_in(await self._reread(installation_id, Hint(Part.EVERYTHING)))
        await self._links(session_id, token)
        linked = await self._tenants.installation(installation_id)
        if linked is None:
            raise AppNotInstalled
        return linked
