"""Encrypts GitHub's tokens, so that a stolen table tells none of them."""

import base64
import binascii
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_IV_BYTES = 12
_TAG_BYTES = 16


class TokenUnreadable(Exception):
    """No key opens a ciphertext here: it was made with another one, moved or tampered with."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ciphertext as it stands in three columns, each in base64."""

    encrypted: str
    iv: str
    tag: str


class TokenCipher:
    """AES-256-GCM. The first key encrypts, all of them are tried to decrypt.

    A ciphertext is bound to its session and column: in another cell it opens nothing.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError("a token key has 32 bytes")
        self._ciphers = [AESGCM(key) for key in keys]

    def seal(self, session_id: str, column: str, token: str) -> Sealed:
        """Encrypts a token for its cell."""
        iv = secrets.token_bytes(_IV_BYTES)
        sealed = self._ciphers[0].encrypt(iv, token.encode(), _bound_to(session_id, column))
        return Sealed(
            _text(sealed[:-_TAG_BYTES]),
            _text(iv),
            _text(sealed[-_TAG_BYTES:]),
        )

    def open(self, session_id: str, column: str, sealed: Sealed) -> tuple[str, bool]:
        """The token, and whether the current key encrypted it; raises TokenUnreadable."""
        try:
            iv = base64.b64decode(sealed.iv, validate=True)
            data = base64.b64decode(sealed.encrypted, validate=True)
            data += base64.b64decode(sealed.tag, validate=True)
        except binascii.Error:
            raise TokenUnreadable from None
        if len(iv) != _IV_BYTES:
            raise TokenUnreadable
        for number, cipher in enumerate(self._ciphers):
            try:
                opened = cipher.decrypt(iv, data, _bound_to(session_id, column))
            except InvalidTag:
                continue
            return opened.decode(), number == 0
        raise TokenUnreadable


def parse_token_keys(text: str) -> list[bytes]:
    """The keys that a secret lists: 64 hex digits each, the current one first.

    Raises ValueError for anything else; the text of the error tells nothing of the keys.
    """
    keys = []
    for word in text.split():
        try:
            key = bytes.fromhex(word)
        except ValueError:
            raise ValueError("a token key is written as 64 hex digits") from None
        if len(key) != KEY_BYTES:
            raise ValueError("a token key has 32 bytes, written as 64 hex digits")
        if len(set(key)) == 1:
            raise ValueError("a token key of one byte repeated is nobody's secret")
        keys.append(key)
    if not keys:
        raise ValueError("no token key is given")
    return keys


def _bound_to(session_id: str, column: str) -> bytes:
    return f"laurel auth_sessions {session_id} {column}".encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
