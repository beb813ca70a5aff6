"""Users who call identity itself: resolved by its own use cases."""

import time
from collections.abc import Callable

from laurel_common.auth.access import Access, AccessResolver
from laurel_common.auth.principal import Principal, PrincipalKind
from laurel_common.auth.sessions import SessionResolver
from laurel_common.errors import CallerNotAllowed, TokenExpired, Unauthenticated
from laurel_common.remembered import Remembered
from laurel_identity.application.check_access import CheckAccess
from laurel_identity.application.discover_again import DiscoverAgain
from laurel_identity.application.introspect_token import KEPT_HERE_SECONDS, IntrospectToken
from laurel_identity.application.session_ports import AccessReader
from laurel_identity.domain.errors import SessionNotFound
from laurel_identity.domain.sessions import TokenState

_MAX_KEPT = 10_000


class LocalUsers(SessionResolver, AccessResolver):
    """Implements SessionResolver and AccessResolver.

    Here a user's principal lists the installations that it may know of: identity's lists span
    tenants.
    """

    def __init__(
        self,
        introspect_token: IntrospectToken,
        check_access: CheckAccess,
        reader: AccessReader,
        discover_again: DiscoverAgain,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._introspect_token = introspect_token
        self._check_access = check_access
        self._reader = reader
        self._discover_again = discover_again
        self._seen: Remembered[str, frozenset[int]] = Remembered(
            limit=_MAX_KEPT, monotonic=monotonic
        )

    async def resolve(self, token: str) -> Principal:
        """See SessionResolver."""
        found = await self._introspect_token(token)
        if found.state is TokenState.EXPIRED:
            raise TokenExpired
        if found.session is None:
            raise Unauthenticated
        session = found.session
        return Principal(
            PrincipalKind.USER,
            session.login,
            installations=await self._seen.get(session.id, lambda: self._see(session.id)),
            token_id=session.id,
            user_id=session.user_id,
        )

    def forget(self, concerns: Callable[[str], bool] = lambda _: True) -> None:
        """Finds out again, when asked, for the sessions whose ids `concerns` holds for."""
        self._seen.forget(concerns)

    async def _see(self, session_id: str) -> tuple[frozenset[int], float]:
        self._discover_again(session_id)
        return frozenset(await self._reader.seen_installations(session_id)), KEPT_HERE_SECONDS

    async def access(self, session_id: str, installation_id: int, *, require_admin: bool) -> Access:
        """See AccessResolver."""
        try:
            grant, _ = await self._check_access(
                session_id, installation_id, require_admin=require_admin
            )
        except SessionNotFound as error:
            raise Unauthenticated from error
        if require_admin and not grant.is_admin:
            raise CallerNotAllowed
        return Access(
            grant.is_admin,
            grant.hidden_repositories,
            grant.hidden_teams,
            grant.readable_repositories,
        )
