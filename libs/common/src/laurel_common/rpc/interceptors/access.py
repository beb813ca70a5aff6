"""Finds out what of an installation a user may see; keys have nothing to find out."""

from collections.abc import Awaitable
from typing import Any

from laurel_common.auth.access import Access, AccessResolver
from laurel_common.auth.principal import Principal, PrincipalKind
from laurel_common.auth.sessions import SessionResolver
from laurel_common.errors import CallerNotAllowed, InstallationNotFound
from laurel_common.rpc.call import Call, Step
from laurel_common.rpc.interceptors.auth import bearer_of
from laurel_common.rpc.policy import MethodRule
from laurel_common.rpc.watch import Watch

# What was taken away holds within this time, on streams too.
RECHECK_SECONDS = 5.0


class AccessStep(Step):
    """Resolves a user's access to the installation that a request names.

    Without `resolver` no user sees any installation.
    """

    def __init__(self, resolver: AccessResolver | None = None) -> None:
        self._resolver = resolver

    def message(self, call: Call, request: Any) -> Awaitable[None] | None:
        """Raises what the resolver does, and CallerNotAllowed for a method of admins whose
        request names no installation, and for one of members that an outside collaborator calls.
        """
        user = user_of(call)
        if user is None:
            return None
        rule = call.rule
        named = rule.installations_in(request)
        if len(named) != 1:
            # No method for users names two: what one of them shows is not the other's to show.
            if named or rule.admins_only:
                raise CallerNotAllowed
            return None
        if self._resolver is None:
            raise InstallationNotFound
        (installation_id,) = named
        known = self._resolver.known_access(
            user.token_id, installation_id, require_admin=rule.admins_only
        )
        if known is None:
            return self.resolve(call, user, installation_id)
        _admit(call, known, installation_id)
        return None

    async def resolve(self, call: Call, user: Principal, installation_id: int) -> None:
        """Has identity asked, and the call see what it says. Raises as `message`."""
        if self._resolver is None:
            raise InstallationNotFound
        access = await self._resolver.access(
            user.token_id, installation_id, require_admin=call.rule.admins_only
        )
        _admit(call, access, installation_id)


class AccessWatchStep(Step):
    """Asks again every `seconds` for as long as a user's stream lasts."""

    def __init__(
        self,
        access: AccessStep,
        sessions: SessionResolver | None = None,
        *,
        seconds: float = RECHECK_SECONDS,
    ) -> None:
        self._access = access
        self._sessions = sessions
        self._seconds = seconds

    def concerns(self, _rule: MethodRule, *, streaming: bool) -> bool:
        """Streams alone."""
        return streaming

    def enter(self, call: Call) -> None:
        """Begins to watch over a user's stream."""
        if user_of(call) is not None:
            call.watch = Watch(lambda: self._recheck(call), every=self._seconds)

    def leave(self, call: Call) -> None:
        """Ends the watch; says what it found where that ended the call."""
        if call.watch is not None:
            call.error = call.watch.end(call.error)

    async def _recheck(self, call: Call) -> None:
        """Raises what ends the stream; what became hidden meanwhile is hidden from now on."""
        user = user_of(call)
        if user is None or self._sessions is None:
            return
        await self._sessions.resolve(bearer_of(call))
        if call.installation_id:
            await self._access.resolve(call, user, call.installation_id)


def _admit(call: Call, access: Access, installation_id: int) -> None:
    if not access.is_member and not call.rule.outside_collaborators:
        raise CallerNotAllowed
    call.surroundings.access = access
    call.installation_id = installation_id


def user_of(call: Call) -> Principal | None:
    """The user who calls; None for keys, and for nobody."""
    principal = call.principal
    return principal if principal is not None and principal.kind is PrincipalKind.USER else None
