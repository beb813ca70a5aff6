"""Whether a webhook's body is signed with a secret of ours."""

import hmac
from collections.abc import Sequence
from typing import Final

SIGNATURE_HEADER: Final = "x-hub-signature-256"
SHORTEST_SECRET: Final = 16
_PREFIX: Final = "sha256="


def is_signed(body: bytes, signature: str | None, secrets: Sequence[bytes]) -> bool:
    """Whether `signature` (`sha256=` and 64 hex digits) is the body's under any of the secrets.

    Every secret is tried, each in constant time, so that how long it takes tells nothing.
    """
    told = (signature or "").encode("utf-8", "replace")
    matches = [
        hmac.compare_digest((_PREFIX + hmac.new(each, body, "sha256").hexdigest()).encode(), told)
        for each in secrets
    ]
    return any(matches)


def secrets_of(text: str) -> list[bytes]:
    """One a line, as they sign. Raises ValueError where one is too short to be a secret."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if any(len(line) < SHORTEST_SECRET for line in lines):
        raise ValueError(f"one of them is shorter than {SHORTEST_SECRET} characters")
    return [line.encode() for line in lines]
