"""Page sizes and tokens of identity's lists: a token holds the last row's key, and is bound to
everything of the request that must stay the same."""

from hashlib import sha256
from typing import Any

from google.protobuf.message import Message

from laurel_common.errors import InvalidPageToken
from laurel_common.page_token import PageTokens
from laurel_identity.application.paging import Page, PageRequest

_PAGE_FIELDS = ("page_size", "page_token")


class Pages:
    """Pages of one kind of list; rows have keys of `width` parts."""

    def __init__(self, tokens: PageTokens, kind: str, *, default_size: int, width: int = 1) -> None:
        self._tokens = tokens
        self._kind = kind
        self._default_size = default_size
        self._width = width

    def single(self, request: Any) -> PageRequest[int]:
        """The page that a request wants of a list whose key is one integer."""
        after = self._after(request)
        return PageRequest(self._size(request), None if after is None else after[0])

    def text(self, request: Any) -> PageRequest[str]:
        """The page that a request wants of a list whose key is a text."""
        after = self._after(request)
        return PageRequest(self._size(request), None if after is None else str(after[0]))

    def double(self, request: Any) -> PageRequest[tuple[int, int]]:
        """The page that a request wants of a list whose key is two integers."""
        after = self._after(request)
        return PageRequest(self._size(request), None if after is None else (after[0], after[1]))

    def next_token(self, request: Any, page: Page[Any, Any]) -> str:
        """The token of the page after `page`; empty on the last."""
        after = page.next_after
        if after is None:
            return ""
        key = list(after) if isinstance(after, tuple) else [after]
        return self._tokens.seal(self._kind, {"after": key}, binding=_binding(request))

    def _size(self, request: Any) -> int:
        return int(request.page_size) or self._default_size

    def _after(self, request: Any) -> list[Any] | None:
        if not request.page_token:
            return None
        payload = self._tokens.open(self._kind, request.page_token, binding=_binding(request))
        after = payload.get("after")
        if not isinstance(after, list) or len(after) != self._width:
            raise InvalidPageToken
        return after


def _binding(request: Message) -> str:
    """A digest of the request without what changes from page to page."""
    rest = type(request)()
    rest.CopyFrom(request)
    for field in _PAGE_FIELDS:
        rest.ClearField(field)
    return sha256(rest.SerializeToString(deterministic=True)).hexdigest()
