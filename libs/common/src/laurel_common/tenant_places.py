"""Places for costly reads: so many at once for each installation, and for all of them together."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from laurel_common.errors import InstallationBusy, Overloaded


class TenantPlaces:
    """Who comes when all places are taken is refused at once, not queued: a queue would hold the
    callers' deadlines and this process's memory, and one tenant's haste would be another's wait.
    """

    def __init__(self, *, each: int, together: int) -> None:
        """`each` places for an installation, `together` for all of them."""
        self._each = each
        self._together = together
        self._taken: Counter[int] = Counter()

    @contextmanager
    def place(self, installation_id: int) -> Iterator[None]:
        """One place while inside. Raises InstallationBusy, Overloaded."""
        if self._taken[installation_id] >= self._each:
            raise InstallationBusy
        if self._taken.total() >= self._together:
            raise Overloaded
        self._taken[installation_id] += 1
        try:
            yield
        finally:
            self._taken[installation_id] -= 1
            if not self._taken[installation_id]:
                del self._taken[installation_id]
