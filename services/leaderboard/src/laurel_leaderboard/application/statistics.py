"""What reads and caches did, as plain numbers that the event loop alone writes."""

from laurel_leaderboard.domain.pages import Source


class ReadStatistics:
    """Pages given out by where they came from, and cache calls that failed or were spared."""

    def __init__(self) -> None:
        self.pages = dict.fromkeys(Source, 0)
        self.redis_failures = 0
        self.redis_skipped = 0

    def count(self, source: Source) -> None:
        """Counts a page that was given out."""
        self.pages[source] += 1
