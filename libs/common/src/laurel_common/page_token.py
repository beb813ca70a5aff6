"""Page tokens: a list's position, signed and bound to the request that it belongs to."""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

from laurel_common.errors import InvalidPageToken

_TAG_BYTES = 16
_MAX_TOKEN_LENGTH = 4096


class PageTokens:
    """Seals and opens page tokens with a key that all replicas of a service share.

    `key` has 32 bytes or more. A token says nothing that its holder has not been shown: it is
    signed, not encrypted.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < 32:
            raise ValueError("a page token key has 32 bytes or more")
        self._key = key

    def seal(self, kind: str, payload: dict[str, Any], *, binding: str = "") -> str:
        """A token of this kind of list; `payload` holds JSON values only.

        `binding` is whatever of the request must stay the same from page to page (filters,
        order); it is signed along but not carried.
        """
        body = json.dumps(payload, separators=(",", ":"), sort_keys=True).encode()
        raw = self._tag(kind, binding, body) + body
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def open(self, kind: str, token: str, *, binding: str = "") -> dict[str, Any]:
        """What `seal` was given.

        Raises InvalidPageToken for anything else than a token sealed with this key for this kind
        and binding.
        """
        if len(token) > _MAX_TOKEN_LENGTH:
            raise InvalidPageToken
        try:
            raw = base64.b64decode(
                token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True
            )
        except (binascii.Error, UnicodeEncodeError) as error:
            raise InvalidPageToken from error
        tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(kind, binding, body)):
            raise InvalidPageToken
        payload: dict[str, Any] = json.loads(body)
        return payload

    def _tag(self, kind: str, binding: str, body: bytes) -> bytes:
        mac = hmac.new(self._key, digestmod=hashlib.sha256)
        for part in (kind.encode(), binding.encode(), body):
            mac.update(len(part).to_bytes(4, "big"))
            mac.update(part)
        return mac.digest()[:_TAG_BYTES]
