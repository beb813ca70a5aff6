"""Reads a page of a board: the answer is made of bytes that lie ready."""

from datetime import datetime

from laurel_common.auth.access import Access
from laurel_common.clock import Clock
from laurel_common.errors import InvalidPageToken
from laurel_common.page_token import PageTokens
from laurel_common.surroundings import current_access
from laurel_leaderboard.application.masked_pages import MaskedPages
from laurel_leaderboard.application.page_cache import CachedPage
from laurel_leaderboard.application.pages import Pages
from laurel_leaderboard.application.pointers import Pointer, Pointers
from laurel_leaderboard.application.ports import ResponseCodec
from laurel_leaderboard.application.scope_coverage import ScopeCoverage
from laurel_leaderboard.application.statistics import ReadStatistics
from laurel_leaderboard.application.visibility import require_board
from laurel_leaderboard.application.walks import open_walk
from laurel_leaderboard.domain.boards import BoardAddress
from laurel_leaderboard.domain.entries import Position
from laurel_leaderboard.domain.errors import BoardNotFound, VersionExpired
from laurel_leaderboard.domain.pages import Freshness, PageKey, Source

DEFAULT_PAGE_SIZE = 50


class GetLeaderboard:
    """A page that memory holds costs three look-ups and a join of byte strings; nothing waits."""

    def __init__(
        self,
        *,
        pointers: Pointers,
        pages: Pages,
        tokens: PageTokens,
        codec: ResponseCodec,
        masked: MaskedPages,
        coverage: ScopeCoverage,
        clock: Clock,
        statistics: ReadStatistics,
    ) -> None:
        self._pointers = pointers
        self._pages = pages
        self._tokens = tokens
        self._masked = masked
        self._coverage = coverage
        self._clock = clock
        self._statistics = statistics
        self._states = {
            (freshness, source): codec.state(freshness, source)
            for freshness in Freshness
            for source in Source
        }

    async def __call__(self, address: BoardAddress, page_size: int, page_token: str) -> bytes:
        """A serialized answer, as the running call's caller may see it. Raises BoardNotFound,
        InvalidPageToken, VersionExpired or what PostgreSQL's absence means, where nothing is
        remembered.
        """
        access = current_access()
        require_board(access, address)
        size = page_size or DEFAULT_PAGE_SIZE
        now = self._clock.now()
        if page_token:
            pointer, after = await self._resume(address, page_token, now)
            return await self._page(pointer, after, size, now, access)
        pointer = self._pointers.peek(address, now) or await self._pointers.find(address)
        try:
            return await self._page(pointer, None, size, now, access)
        except VersionExpired:
            # Replaced and gone since it was pointed to: there is a newer one.
            self._pointers.expire(address.installation_id)
            pointer = await self._pointers.find(address)
            return await self._page(pointer, None, size, now, access)

    async def _page(
        self, pointer: Pointer, after: Position | None, size: int, now: datetime, access: Access
    ) -> bytes:
        version, scope = pointer.version, pointer.scope
        if version is None or scope is None:
            raise BoardNotFound
        key = PageKey(version.id, after, size)
        source = Source.MEMORY
        page: CachedPage | None = self._pages.peek(key, version, now)
        if page is None:
            page, source = await self._pages.find(key, version)
        self._statistics.count(source)
        state = self._states[pointer.freshness(now), source]
        entries = self._masked.entries(page, key, version.board.entity_type, access)
        coverage = self._coverage.peek(scope, now)
        if coverage is None:
            coverage = await self._coverage.find(scope)
        return b"".join((entries, pointer.header, state, page.token, coverage))

    async def _resume(
        self, address: BoardAddress, token: str, now: datetime
    ) -> tuple[Pointer, Position]:
        """The version that the token walks, whatever is current by now."""
        id_, after = open_walk(self._tokens, token, address.installation_id)
        pointer = self._pointers.peek(address, now)
        if pointer is None or pointer.version is None or pointer.version.id != id_:
            pointer = await self._pointers.walked(id_, address)
        version = pointer.version
        if version is None:
            raise VersionExpired
        if not version.is_of(address):
            raise InvalidPageToken("the page token belongs to another board")
        if not version.is_readable(now):
            raise VersionExpired
        return pointer, after
