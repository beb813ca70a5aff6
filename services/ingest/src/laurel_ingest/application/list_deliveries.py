"""Pages of webhook deliveries, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from laurel_common.errors import InvalidPageToken
from laurel_common.page_token import PageTokens
from laurel_ingest.application.inbox import DeliveryLog, DeliveryQuery
from laurel_ingest.domain.deliveries import Delivery

DEFAULT_PAGE_SIZE: Final = 50
_KIND: Final = "deliveries"


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """A page; the token is empty on the last one."""

    deliveries: Sequence[Delivery]
    next_page_token: str


class ListDeliveries:
    """Lists deliveries by keyset, so that what comes in meanwhile shifts nothing."""

    def __init__(self, log: DeliveryLog, tokens: PageTokens) -> None:
        self._log = log
        self._tokens = tokens

    async def __call__(self, query: DeliveryQuery, page_size: int, page_token: str) -> DeliveryPage:
        """One page. Raises InvalidPageToken."""
        before = self._open(query, page_token) if page_token else None
        size = page_size or DEFAULT_PAGE_SIZE
        found = await self._log.page(query, before, size + 1)
        page = found[:size]
        token = ""
        if len(found) > size:
            token = self._tokens.seal(_KIND, {"id": page[-1].id}, binding=repr(query))
        return DeliveryPage(page, token)

    def _open(self, query: DeliveryQuery, token: str) -> int:
        payload = self._tokens.open(_KIND, token, binding=repr(query))
        try:
            return int(payload["id"])
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidPageToken from error
