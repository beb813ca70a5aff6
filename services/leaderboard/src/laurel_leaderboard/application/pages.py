"""Finds pages in memory, in Redis or in PostgreSQL, and renews them as names grow old."""

from datetime import datetime, timedelta

from laurel_common.clock import Clock
from laurel_common.errors import DependencyUnavailable
from laurel_common.page_token import PageTokens
from laurel_common.single_flight import SingleFlight
from laurel_leaderboard.application.entry_builder import EntryBuilder
from laurel_leaderboard.application.page_cache import CachedPage, PageCache
from laurel_leaderboard.application.pointers import AWAY, HELD, RETRY
from laurel_leaderboard.application.ports import ResponseCodec, SharedCache, Versions
from laurel_leaderboard.application.walks import seal_walk
from laurel_leaderboard.domain.entries import ScoreRow
from laurel_leaderboard.domain.errors import VersionExpired
from laurel_leaderboard.domain.pages import Page, PageKey, Source, names_epoch, names_until
from laurel_leaderboard.domain.versions import Version

# Identity was away: names are asked for again after this.
NAMELESS = timedelta(seconds=2)
FLIGHT_SECONDS = 4.0


class Pages:
    """The pages of all versions. Many readers of one cold page cost one reading."""

    def __init__(
        self,
        *,
        versions: Versions,
        builder: EntryBuilder,
        shared: SharedCache,
        codec: ResponseCodec,
        tokens: PageTokens,
        cache: PageCache,
        clock: Clock,
    ) -> None:
        self._versions = versions
        self._builder = builder
        self._shared = shared
        self._codec = codec
        self._tokens = tokens
        self._cache = cache
        self._clock = clock
        self._flights = SingleFlight[PageKey, tuple[CachedPage, Source]](seconds=FLIGHT_SECONDS)

    def peek(self, key: PageKey, version: Version, now: datetime) -> CachedPage | None:
        """The page if memory holds it with names that count; renewed in the background in time."""
        page = self._cache.get(key)
        if page is None or now >= page.valid_until:
            return None
        if now >= page.renew_at:
            page.renew_at = page.valid_until
            self._flights.start(key, lambda: self._load(key, version))
        return page

    async def find(self, key: PageKey, version: Version) -> tuple[CachedPage, Source]:
        """The page and where it came from. Raises VersionExpired where its rows are gone."""
        return await self._flights.run(key, lambda: self._load(key, version))

    async def close(self) -> None:
        """Ends what is under way."""
        await self._flights.close()

    async def _load(self, key: PageKey, version: Version) -> tuple[CachedPage, Source]:
        now = self._clock.now()
        epoch = names_epoch(version.id, now)
        page = await self._shared.page(key, epoch)
        if page is not None:
            return self._keep(key, version, page, now), Source.REDIS
        try:
            rows = await self._versions.rows(version, key.after, key.size + 1)
            page, named = await self._build(key, version, rows)
        except AWAY:
            held = self._hold(key, now)
            if held is None:
                raise
            return held, Source.MEMORY
        if not named:
            return self._keep_nameless(key, version, page, now), Source.POSTGRESQL
        await self._shared.note_page(key, epoch, page)
        return self._keep(key, version, page, now), Source.POSTGRESQL

    async def _build(
        self, key: PageKey, version: Version, rows: list[ScoreRow]
    ) -> tuple[Page, bool]:
        """The page of these rows, and whether identity could be asked for names."""
        if not rows and (key.after is not None or version.row_count > 0):
            raise VersionExpired
        shown = rows[: key.size]
        entries, named = await self._builder.build(version, shown)
        if not named and self._cache.get(key) is not None:
            # An older page that has names is better than a new one without.
            raise DependencyUnavailable
        last = shown[-1].position if len(rows) > key.size else None
        return Page(self._codec.entries(entries), last), named

    def _keep(self, key: PageKey, version: Version, page: Page, now: datetime) -> CachedPage:
        renew_at = names_until(version.id, now)
        # One more epoch: a reader does not wait for the renewal.
        return self._put(key, version, page, renew_at, names_until(version.id, renew_at))

    def _keep_nameless(
        self, key: PageKey, version: Version, page: Page, now: datetime
    ) -> CachedPage:
        return self._put(key, version, page, now + NAMELESS, now + NAMELESS)

    def _put(
        self, key: PageKey, version: Version, page: Page, renew_at: datetime, until: datetime
    ) -> CachedPage:
        token = b""
        if page.last is not None:
            token = self._codec.token(seal_walk(self._tokens, version, page.last))
        cached = CachedPage(page.entries, token, renew_at, until)
        self._cache.put(key, cached)
        return cached

    def _hold(self, key: PageKey, now: datetime) -> CachedPage | None:
        """What memory has, however old, while there is nothing better; tried again soon."""
        page = self._cache.get(key)
        if page is not None:
            page.renew_at, page.valid_until = now + RETRY, now + HELD
        return page
