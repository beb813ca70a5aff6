"""The GitHub App that the world has registered: its ids, secrets and key."""

import secrets
from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_PERMISSIONS = {
    "contents": "read",
    "issues": "read",
    "members": "read",
    "metadata": "read",
    "pull_requests": "read",
}


@dataclass
class App:
    """A registered App; what it asks for is what it is granted."""

    private_key: RSAPrivateKey
    id: int = 4711
    slug: str = "laurel"
    name: str = "Laurel"
    client_id: str = "Iv23li0123456789abcd"
    client_secret: str = field(default_factory=lambda: secrets.token_hex(20))
    permissions: dict[str, str] = field(default_factory=lambda: dict(_PERMISSIONS))
    events: list[str] = field(default_factory=lambda: ["membership", "organization", "team"])

    @staticmethod
    def made() -> "App":
        """An App whose key the whole test run shares: making one takes a while."""
        return App(_test_key())

    def private_key_pem(self) -> bytes:
        """The key in the form that GitHub hands out."""
        return self.private_key.private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        )


def new_key() -> RSAPrivateKey:
    """A key as GitHub makes them."""
    return generate_private_key(public_exponent=65537, key_size=2048)


@cache
def _test_key() -> RSAPrivateKey:
    return new_key()
