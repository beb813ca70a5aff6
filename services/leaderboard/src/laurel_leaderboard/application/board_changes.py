"""Finds out what changed between two versions of a board, for those who watch it."""

from laurel_leaderboard.application.current_boards import CurrentBoard
from laurel_leaderboard.application.entry_builder import EntryBuilder
from laurel_leaderboard.application.ports import Comparisons, Versions
from laurel_leaderboard.application.statistics import ReadStatistics
from laurel_leaderboard.domain.changes import BoardChange, Leaver
from laurel_leaderboard.domain.errors import VersionExpired
from laurel_leaderboard.domain.versions import Version

MAX_CHANGES = 500


class BoardChanges:
    """Reads the movers, and the entries of those who stand."""

    def __init__(
        self,
        comparisons: Comparisons,
        versions: Versions,
        builder: EntryBuilder,
        statistics: ReadStatistics,
    ) -> None:
        self._comparisons = comparisons
        self._versions = versions
        self._builder = builder
        self._statistics = statistics

    async def between(self, base: Version | None, board: CurrentBoard) -> BoardChange:
        """What `board` changes; without `base`, or where that is gone, only that it is current."""
        self._statistics.changes_computed += 1
        version = board.version
        bare = BoardChange(version, board.freshness)
        if base is None:
            return bare
        try:
            movers = await self._comparisons.movers(version, base, None, MAX_CHANGES + 1)
        except VersionExpired:
            return bare
        told = movers[:MAX_CHANGES]
        standing = [mover.entity_id for mover in told if mover.now is not None]
        gone = [mover.entity_id for mover in told if mover.now is None]
        rows = await self._versions.rows_of(version, standing) if standing else []
        entries, _ = await self._builder.build(version, rows)
        names = await self._builder.names(version, gone) if gone else None
        return BoardChange(
            version,
            board.freshness,
            base_id=base.id,
            entries=tuple(entries),
            left=tuple(Leaver(id_, (names or {}).get(id_)) for id_ in gone),
            truncated=len(movers) > MAX_CHANGES,
        )
