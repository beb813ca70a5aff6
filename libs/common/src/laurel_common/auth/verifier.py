"""Turns a bearer token into a principal, once per token: later calls find it in a dictionary."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
from jwt.exceptions import PyJWTError

from laurel_common.auth.principal import Principal, PrincipalKind
from laurel_common.auth.tokens import ALGORITHM, OPERATOR_LIFETIME, SERVICE_LIFETIME
from laurel_common.auth.trust import TrustDirectory, TrustedKey
from laurel_common.clock import Clock
from laurel_common.errors import TokenExpired, Unauthenticated

# How far two machines' clocks may be apart.
LEEWAY = timedelta(seconds=30)
_MAX_TOKEN_LENGTH = 4096
_MAX_REMEMBERED = 10_000


class TokenVerifier:
    """Verifies the tokens that are meant for `audience` against the trust directory."""

    def __init__(
        self,
        trust: TrustDirectory,
        *,
        audience: str,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._trust = trust
        self._audience = audience
        self._clock = clock
        self._generation = trust.generation
        self._monotonic = monotonic
        self._settle_at = 0.0
        self._verified: dict[str, tuple[Principal, float]] = {}

    def verify(self, token: str) -> Principal:
        """Whose token this is.

        Raises TokenExpired for one that was good once and Unauthenticated for any other that
        does not count here, without saying which check it failed.
        """
        if self._monotonic() >= self._settle_at:
            self._settle()
        found = self._verified.get(token)
        if found is not None:
            return found[0]
        principal, good_until = self._verify(token, self._clock.now().timestamp())
        if len(self._verified) >= _MAX_REMEMBERED:
            self._verified.clear()
        self._verified[token] = (principal, good_until)
        return principal

    def _settle(self) -> None:
        """Forgets what no longer counts: tokens that have expired, all where the keys changed.

        Done once a second, so that a call in between costs a look into a dictionary.
        """
        self._settle_at = self._monotonic() + self._trust.recheck_seconds
        self._trust.refresh()
        if self._trust.generation != self._generation:
            self._generation = self._trust.generation
            self._verified.clear()
        now = self._clock.now().timestamp()
        for token in [each for each, known in self._verified.items() if now >= known[1]]:
            del self._verified[token]

    def _verify(self, token: str, now: float) -> tuple[Principal, float]:
        key, claims = self._signed_claims(token)
        if not _names(claims["aud"], self._audience):
            raise Unauthenticated
        issued, expires = float(claims["iat"]), float(claims["exp"])
        longest = OPERATOR_LIFETIME if key.kind is PrincipalKind.OPERATOR else SERVICE_LIFETIME
        leeway = LEEWAY.total_seconds()
        if issued > now + leeway or not 0 < expires - issued <= longest.total_seconds():
            raise Unauthenticated
        if now >= expires + leeway:
            raise TokenExpired
        principal = Principal(
            kind=key.kind,
            name=key.name,
            installations=key.installations,
            methods=key.methods,
            token_id=claims["jti"],
        )
        return principal, expires + leeway

    def _signed_claims(self, token: str) -> tuple[TrustedKey, dict[str, Any]]:
        """The claims and the key that signed them, with the types that the claims must have."""
        if len(token) > _MAX_TOKEN_LENGTH:
            raise Unauthenticated
        try:
            # Read before it is verified, to know whose keys to try; nothing else is made of it.
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except (PyJWTError, RecursionError) as error:
            raise Unauthenticated from error
        for key in self._trust.keys(issuer) if isinstance(issuer, str) else ():
            try:
                claims = jwt.decode(
                    token,
                    key.public_key,
                    algorithms=[ALGORITHM],
                    options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
                )
            except PyJWTError:
                continue
            if _well_formed(claims):
                return key, claims
        raise Unauthenticated


def _well_formed(claims: dict[str, Any]) -> bool:
    numbers = _is_time(claims.get("iat")) and _is_time(claims.get("exp"))
    jti = claims.get("jti")
    return numbers and isinstance(jti, str) and 0 < len(jti) <= 128 and "aud" in claims


def _is_time(value: object) -> bool:
    """Whether `value` is a number that can be seconds since 1970; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value < 2**53


def _names(audience: object, wanted: str) -> bool:
    return audience == wanted or (isinstance(audience, list) and wanted in audience)
