"""The use case CompleteSignIn: opens a session for whoever came back from GitHub."""

import asyncio
import secrets
from dataclasses import dataclass, field

import structlog

from laurel_common.clock import Clock
from laurel_common.errors import LaurelError
from laurel_identity.application.batch import Batch
from laurel_identity.application.begin_sign_in import States
from laurel_identity.application.discover import Discover
from laurel_identity.application.session_ports import SessionStore
from laurel_identity.application.sign_in_ports import (
    PendingSignIn,
    PendingSignIns,
    SignInClient,
    UserClient,
)
from laurel_identity.application.upsert_entities import UpsertEntities
from laurel_identity.domain.entities import Relation, User
from laurel_identity.domain.errors import SignInCsrfMismatch, SignInExpired
from laurel_identity.domain.sessions import LASTS, Session, session_id_of

# GitHub is not waited for longer where the sign-in does not depend on it.
_DISCOVERY_SECONDS = 8.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CompletedSignIn:
    """The opened session; its token is told this once."""

    token: str = field(repr=False)
    session: Session
    user: User
    return_to: str


class CompleteSignIn:
    """Raises what its ports do, SignInStateInvalid, SignInExpired and SignInCsrfMismatch."""

    def __init__(
        self,
        *,
        client: SignInClient,
        users: UserClient,
        pending: PendingSignIns,
        states: States,
        upsert: UpsertEntities,
        sessions: SessionStore,
        discover: Discover,
        clock: Clock,
    ) -> None:
        self._client = client
        self._users = users
        self._pending = pending
        self._states = states
        self._upsert = upsert
        self._sessions = sessions
        self._discover = discover
        self._clock = clock

    async def __call__(self, code: str, state: str, csrf_token: str) -> CompletedSignIn:
        pending = await self._take(state, csrf_token)
        tokens = await self._client.exchange(code, pending.verifier)
        user = await self._users.profile(tokens.access)
        memberships = await self._users.memberships(tokens.access)
        await self._upsert(
            Batch(
                users=[user],
                organizations=[organization for organization, _ in memberships],
                memberships=[Relation(each.id, user.id, role) for each, role in memberships],
            )
        )
        await self._sessions.leave_others(user.id, [each.id for each, _ in memberships])
        token, now = secrets.token_hex(32), self._clock.now()
        session = Session(session_id_of(token), user.id, user.login, now, now + LASTS)
        await self._sessions.open(session, tokens)
        await self._find_installations(session.id, tokens.access)
        return CompletedSignIn(token, session, user, pending.return_to)

    async def _take(self, state: str, csrf_token: str) -> PendingSignIn:
        """What the state stands for; used up also where the rest does not fit."""
        pending = await self._pending.take(self._states.nonce(state, self._clock.now()))
        if pending is None:
            raise SignInExpired
        if not secrets.compare_digest(pending.csrf_token.encode(), csrf_token.encode()):
            raise SignInCsrfMismatch
        return pending

    async def _find_installations(self, session_id: str, token: str) -> None:
        """Best effort: without, the user is signed in and sees what its memberships show."""
        try:
            async with asyncio.timeout(_DISCOVERY_SECONDS):
                await self._discover(session_id, token)
        except (LaurelError, TimeoutError) as error:
            log.warning("installations_undiscovered", error=type(error).__name__)
