"""Tokens for the people who run Laurel: listed audiences, an hour at most."""

from collections.abc import Sequence
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from laurel_common.auth.tokens import OPERATOR_LIFETIME, mint
from laurel_common.clock import Clock, SystemClock

SERVICES = ("identity", "ingest", "scoring", "leaderboard")


def mint_operator_token(
    key: Ed25519PrivateKey,
    *,
    name: str,
    audiences: Sequence[str] = SERVICES,
    lifetime: timedelta = OPERATOR_LIFETIME,
    clock: Clock | None = None,
) -> str:
    """Signs an operator's token; raises ValueError for more than an hour or no audience.

    `name` is the operator key's name in the trust directory.
    """
    if not audiences or unknown_audiences(audiences):
        raise ValueError(f"audiences are some of {', '.join(SERVICES)}")
    if not timedelta(seconds=1) <= lifetime <= OPERATOR_LIFETIME:
        raise ValueError("an operator's token lives for one second to one hour")
    return mint(
        key,
        issuer=name,
        audience=tuple(audiences),
        lifetime=lifetime,
        clock=clock or SystemClock(),
    )


def unknown_audiences(audiences: Sequence[str]) -> list[str]:
    """The audiences that are no service of Laurel's."""
    return [each for each in audiences if each not in SERVICES]
