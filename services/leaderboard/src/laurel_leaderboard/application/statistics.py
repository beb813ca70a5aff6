"""What reads and caches did, as plain numbers that the event loop alone writes."""

from laurel_leaderboard.domain.pages import Source


class ReadStatistics:
    """Pages given out by where they came from, cache calls that failed or were spared, and who
    watches.
    """

    def __init__(self) -> None:
        self.pages = dict.fromkeys(Source, 0)
        self.redis_failures = 0
        self.redis_skipped = 0
        self.watchers = 0
        self.changes_computed = 0

    def count(self, source: Source) -> None:
        """Counts a page that was given out."""
        self.pages[source] += 1
