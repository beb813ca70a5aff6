"""Pages for callers from whom something on them is hidden, made of the full ones."""

from collections.abc import Callable

from laurel_common.auth.access import Access
from laurel_leaderboard.application.page_cache import CachedPage, PageCache
from laurel_leaderboard.application.ports import ResponseCodec
from laurel_leaderboard.application.visibility import hidden_of
from laurel_leaderboard.domain.boards import EntityType
from laurel_leaderboard.domain.pages import PageKey


class MaskedPages:
    """One page for each set of entries that is hidden on it.

    Almost everybody from whom something is hidden misses the same: the masked variant. Whoever
    may read some of it has a variant of their own, kept beside, and never sees another's.
    """

    def __init__(self, cache: PageCache, codec: ResponseCodec) -> None:
        self._cache = cache
        self._codec = codec

    def entries(self, page: CachedPage, key: PageKey, kind: EntityType, access: Access) -> bytes:
        """The entries of a full page as the caller may see them."""
        if access.is_full or kind is EntityType.CONTRIBUTOR:
            return page.entries
        if page.ids is None:
            page.ids = self._codec.ids(page.entries)
        hidden = hidden_of(access, kind, page.ids)
        if not hidden:
            return page.entries
        return self._kept(page, key._replace(hidden=hidden), self._codec.masked)

    def _kept(
        self, page: CachedPage, key: PageKey, mask: Callable[[bytes, frozenset[int]], bytes]
    ) -> bytes:
        known = self._cache.get(key)
        # A full page that was renewed has other names: what was made of the former one is over.
        if known is None or known.valid_until != page.valid_until:
            entries = mask(page.entries, key.hidden)
            known = CachedPage(entries, b"", page.renew_at, page.valid_until)
            self._cache.put(key, known)
        return known.entries
