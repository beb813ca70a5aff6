"""Short-lived JWTs signed with one's own Ed25519 key: minted here, verified in verifier.py."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from laurel_common.clock import Clock, SystemClock

ALGORITHM = "EdDSA"
SERVICE_LIFETIME = timedelta(seconds=60)
OPERATOR_LIFETIME = timedelta(hours=1)
# A token is handed out for the first three quarters of its life only.
_REUSE = 0.75


class Tokens(Protocol):
    """Where a client takes the bearer token for a call from."""

    def token(self, audience: str) -> str:
        """A token that the service `audience` takes now."""
        ...


def mint(
    key: Ed25519PrivateKey,
    *,
    issuer: str,
    audience: str | Sequence[str],
    lifetime: timedelta,
    clock: Clock,
) -> str:
    """Signs a token of `issuer` for one audience or a list of them, from now on."""
    now = int(clock.now().timestamp())
    claims = {
        "iss": issuer,
        "aud": audience if isinstance(audience, str) else list(audience),
        "iat": now,
        "exp": now + int(lifetime.total_seconds()),
        "jti": secrets.token_hex(16),
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM)


class TokenSource:
    """Mints this caller's tokens: 60 seconds each, one per audience, used again while fresh."""

    def __init__(
        self,
        name: str,
        key: Ed25519PrivateKey,
        *,
        clock: Clock | None = None,
        lifetime: timedelta = SERVICE_LIFETIME,
    ) -> None:
        self.name = name
        self._key = key
        self._clock = clock or SystemClock()
        self._lifetime = lifetime
        self._minted: dict[str, tuple[str, float]] = {}

    def token(self, audience: str) -> str:
        """A token for `audience` with at least a quarter of its life ahead."""
        now = self._clock.now().timestamp()
        found = self._minted.get(audience)
        if found is not None and now < found[1]:
            return found[0]
        token = mint(
            self._key,
            issuer=self.name,
            audience=audience,
            lifetime=self._lifetime,
            clock=self._clock,
        )
        self._minted[audience] = (token, now + self._lifetime.total_seconds() * _REUSE)
        return token


class StaticToken:
    """One ready-made token for every audience: a session token, or an operator's."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self, audience: str) -> str:  # noqa: ARG002 - the port's signature
        """The token."""
        return self._token
