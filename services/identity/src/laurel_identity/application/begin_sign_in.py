"""The use case BeginSignIn: sends somebody to GitHub."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from laurel_common.clock import Clock
from laurel_common.errors import InvalidPageToken, InvalidRequest
from laurel_common.page_token import PageTokens
from laurel_identity.application.sign_in_ports import PendingSignIn, PendingSignIns, SignInClient
from laurel_identity.domain.errors import SignInExpired, SignInStateInvalid
from laurel_identity.domain.return_paths import is_safe_return_path

LASTS = timedelta(minutes=10)
_KIND = "sign-in state"


class States:
    """Signed states: a nonce and the second in which it ends."""

    def __init__(self, seals: PageTokens) -> None:
        self._seals = seals

    def make(self, nonce: str, expires_at: datetime) -> str:
        """The state of a nonce."""
        return self._seals.seal(_KIND, {"n": nonce, "e": int(expires_at.timestamp())})

    def nonce(self, state: str, now: datetime) -> str:
        """The nonce of a state. Raises SignInStateInvalid, SignInExpired."""
        try:
            payload = self._seals.open(_KIND, state)
        except InvalidPageToken as error:
            raise SignInStateInvalid from error
        if now.timestamp() >= int(payload["e"]):
            raise SignInExpired
        return str(payload["n"])


@dataclass(frozen=True, slots=True)
class BegunSignIn:
    """Where the user goes, and what the gateway keeps."""

    authorize_url: str
    state: str
    csrf_token: str
    expires_at: datetime


class BeginSignIn:
    """Raises InvalidRequest for a return_to that leads elsewhere, GitHubNotConfigured, and
    DependencyUnavailable where what is secret can't be kept.
    """

    def __init__(
        self, client: SignInClient, pending: PendingSignIns, states: States, clock: Clock
    ) -> None:
        self._client = client
        self._pending = pending
        self._states = states
        self._clock = clock

    async def __call__(self, return_to: str) -> BegunSignIn:
        target = return_to or "/"
        if not is_safe_return_path(target):
            raise InvalidRequest.of(("return_to", "is no path from the gateway's root"))
        verifier, csrf_token = secrets.token_urlsafe(48), secrets.token_urlsafe(32)
        nonce = secrets.token_hex(16)
        expires_at = self._clock.now() + LASTS
        state = self._states.make(nonce, expires_at)
        url = self._client.authorize_url(state, challenge_of(verifier))
        await self._pending.put(nonce, PendingSignIn(verifier, csrf_token, target))
        return BegunSignIn(url, state, csrf_token, expires_at)


def challenge_of(verifier: str) -> str:
    """PKCE's S256."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
