"""Pages in this process's memory: bounded in bytes, the least recently used go first."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from laurel_leaderboard.domain.pages import PageKey

# What a page costs beside its bytes: the key, the object, the dictionary's share.
OVERHEAD_BYTES = 600


@dataclass(slots=True)
class CachedPage:
    """Entries and page token field as they go out, and how long their names count."""

    entries: bytes
    token: bytes
    renew_at: datetime
    valid_until: datetime
    # Whom the entries rank, once somebody asked from whom not everything is to be seen.
    ids: tuple[int, ...] | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.entries) + len(self.token) + OVERHEAD_BYTES


class PageCache:
    """At most `capacity` bytes of pages."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._pages: OrderedDict[PageKey, CachedPage] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._pages)

    @property
    def size(self) -> int:
        """Bytes that the pages take."""
        return self._size

    def get(self, key: PageKey) -> CachedPage | None:
        """The page, which is now the most recently used."""
        page = self._pages.get(key)
        if page is not None:
            self._pages.move_to_end(key)
        return page

    def put(self, key: PageKey, page: CachedPage) -> None:
        """Keeps a page; one that is larger than the whole cache is not kept."""
        old = self._pages.pop(key, None)
        if old is not None:
            self._size -= old.size
        if page.size > self._capacity:
            return
        self._pages[key] = page
        self._size += page.size
        while self._size > self._capacity:
            _, gone = self._pages.popitem(last=False)
            self._size -= gone.size
