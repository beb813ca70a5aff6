"""Page tokens: a list's position, encrypted and bound to the request that it belongs to."""

import base64
import binascii
import hashlib
import json
import re
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from laurel_common.errors import InvalidPageToken

_MAX_TOKEN_LENGTH = 4096
# The decoder takes the other alphabet's characters as well.
_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


class PageTokens:
    """Seals and opens page tokens with a key that all replicas of a service share.

    `key` has 32 bytes or more. A position may name what its holder must not learn (the last entry
    of a page, where that is masked), so a token shows nothing of it; the same position gives the
    same token (AES-SIV), so that pages can be kept with theirs.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < 32:
            raise ValueError("a page token key has 32 bytes or more")
        self._cipher = AESSIV(hashlib.sha512(key).digest())

    def seal(self, kind: str, payload: dict[str, Any], *, binding: str = "") -> str:
        """A token of this kind of list; `payload` holds JSON values only.

        `binding` is whatever of the request must stay the same from page to page (filters,
        order); it is authenticated along but not carried.
        """
        body = json.dumps(payload, separators=(",", ":"), sort_keys=True).encode()
        raw = self._cipher.encrypt(body, _associated(kind, binding))
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def open(self, kind: str, token: str, *, binding: str = "") -> dict[str, Any]:
        """What `seal` was given.

        Raises InvalidPageToken for anything else than a token sealed with this key for this kind
        and binding.
        """
        if len(token) > _MAX_TOKEN_LENGTH or _ALPHABET.fullmatch(token) is None:
            raise InvalidPageToken
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except binascii.Error as error:
            raise InvalidPageToken from error
        try:
            body = self._cipher.decrypt(raw, _associated(kind, binding))
        except (InvalidTag, ValueError) as error:
            raise InvalidPageToken from error
        payload: dict[str, Any] = json.loads(body)
        return payload


def _associated(kind: str, binding: str) -> list[bytes]:
    return [kind.encode(), binding.encode()]
