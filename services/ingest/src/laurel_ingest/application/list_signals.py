"""Pages of one installation's signals, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from laurel_common.errors import InvalidPageToken
from laurel_common.page_token import PageTokens
from laurel_ingest.application.ports import (
    Directory,
    Position,
    SignalQuery,
    SignalReader,
    StoredSignal,
)

DEFAULT_PAGE_SIZE = 50
_KIND = "signals"


@dataclass(frozen=True, slots=True)
class SignalPage:
    """A page; the token is empty on the last one."""

    signals: Sequence[StoredSignal]
    next_page_token: str


class ListSignals:
    """Lists signals by keyset, so that what arrives meanwhile shifts nothing."""

    def __init__(self, reader: SignalReader, directory: Directory, tokens: PageTokens) -> None:
        self._reader = reader
        self._directory = directory
        self._tokens = tokens

    async def __call__(self, query: SignalQuery, page_size: int, page_token: str) -> SignalPage:
        """One page. Raises InvalidPageToken, InstallationNotFound."""
        after = self._open(query, page_token) if page_token else None
        if after is None:
            await self._directory.require_installation(query.installation_id)
        size = page_size or DEFAULT_PAGE_SIZE
        found = await self._reader.page(query, after, size + 1)
        page = found[:size]
        token = self._seal(query, page[-1]) if len(found) > size else ""
        return SignalPage(page, token)

    def _seal(self, query: SignalQuery, last: StoredSignal) -> str:
        payload = {"at": last.event_timestamp.isoformat(), "id": last.id}
        return self._tokens.seal(_KIND, payload, binding=repr(query))

    def _open(self, query: SignalQuery, token: str) -> Position:
        payload = self._tokens.open(_KIND, token, binding=repr(query))
        try:
            return Position(datetime.fromisoformat(payload["at"]), int(payload["id"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidPageToken from error
