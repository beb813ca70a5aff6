"""Finds out who calls, and whether the method declares that they may; what declares nothing is
refused."""

from collections.abc import Awaitable
from typing import Any

from laurel_common.auth.principal import Principal, PrincipalKind
from laurel_common.auth.sessions import SessionResolver, is_session_token
from laurel_common.auth.verifier import TokenVerifier
from laurel_common.errors import CallerNotAllowed, InstallationNotCovered, Unauthenticated
from laurel_common.rpc.call import Call, Step


class AuthStep(Step):
    """Verifies the bearer token, checks the method's rule and the key's installations.

    `sessions` resolves users' session tokens; without it they are not accepted.
    """

    def __init__(self, verifier: TokenVerifier, sessions: SessionResolver | None = None) -> None:
        self._verifier = verifier
        self._sessions = sessions

    def enter(self, call: Call) -> Awaitable[None] | None:
        """Lets the caller in, or raises Unauthenticated, TokenExpired or CallerNotAllowed."""
        if call.rule.public:
            return None
        token = bearer_of(call)
        if not is_session_token(token):
            _admit(call, self._verifier.verify(token))
            return None
        if self._sessions is None:
            raise Unauthenticated
        known = self._sessions.known(token)
        if known is None:
            return self._resolve(call, token, self._sessions)
        _admit(call, known)
        return None

    async def _resolve(self, call: Call, token: str, sessions: SessionResolver) -> None:
        _admit(call, await sessions.resolve(token))

    def message(self, call: Call, request: Any) -> None:
        """Raises InstallationNotCovered for an installation that a limited key does not reach.

        The first message has to name one, where the method has a place for it.
        """
        principal = call.principal
        if principal is None or principal.installations is None:
            return
        if principal.kind is PrincipalKind.USER:
            # What a user may not see does not exist for it: the access step says so.
            return
        named = call.rule.installations_in(request)
        if not named and call.messages == 0 and call.rule.installation_paths:
            raise InstallationNotCovered
        for installation_id in named:
            principal.require_installation(installation_id)


def _admit(call: Call, principal: Principal) -> None:
    call.principal = principal
    if not call.rule.allows(principal):
        raise CallerNotAllowed
    call.surroundings.principal = principal


def bearer_of(call: Call) -> str:
    """The token that the call brings; raises Unauthenticated where it brings none."""
    if call.authorization[:7].lower() != "bearer ":
        raise Unauthenticated
    return call.authorization[7:]
