"""Puts the reading of boards together: pointers, pages, and the use cases over them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from laurel_common.clock import Clock
from laurel_common.page_token import PageTokens
from laurel_common.tenant_places import TenantPlaces
from laurel_leaderboard.application.batch_get_entries import BatchGetEntries
from laurel_leaderboard.application.board_changes import BoardChanges
from laurel_leaderboard.application.compare_versions import CompareVersions
from laurel_leaderboard.application.current_boards import CurrentBoards
from laurel_leaderboard.application.entry_builder import EntryBuilder
from laurel_leaderboard.application.export_leaderboard import ExportLeaderboard
from laurel_leaderboard.application.get_entry import GetEntry
from laurel_leaderboard.application.get_history import GetHistory
from laurel_leaderboard.application.get_leaderboard import GetLeaderboard
from laurel_leaderboard.application.list_boards import ListBoards
from laurel_leaderboard.application.masked_pages import MaskedPages
from laurel_leaderboard.application.page_cache import PageCache
from laurel_leaderboard.application.pages import Pages
from laurel_leaderboard.application.pointers import Pointers
from laurel_leaderboard.application.ports import (
    Comparisons,
    Exports,
    History,
    Logins,
    ResponseCodec,
    SharedCache,
    Versions,
)
from laurel_leaderboard.application.scope_coverage import CoverageSource, ScopeCoverage
from laurel_leaderboard.application.statistics import ReadStatistics
from laurel_leaderboard.application.watch_leaderboard import WatchLeaderboard
from laurel_leaderboard.config import LeaderboardSettings
from laurel_leaderboard.rpc.leaderboard import BoardUseCases

# Exports at once on a process: of an installation, and of all. Each takes a connection and, while
# a slice is written, a thread.
EXPORTS_EACH = 2
EXPORTS_TOGETHER = 4

Closer = Callable[[], Awaitable[object]]


@dataclass(slots=True)
class Shared:
    """What reading and writing have in common."""

    clock: Clock
    codec: ResponseCodec
    tokens: PageTokens
    versions: Versions
    shared: SharedCache
    statistics: ReadStatistics
    history: History
    comparisons: Comparisons
    exports: Exports
    builder: EntryBuilder
    export_places: TenantPlaces


def pointers_of(settings: LeaderboardSettings, common: Shared, closers: list[Closer]) -> Pointers:
    """The pointers of this process, closed with it."""
    pointers = Pointers(
        common.versions,
        common.shared,
        common.codec,
        common.clock,
        limit=settings.pointer_cache_size,
    )
    closers.append(pointers.close)
    return pointers


def pages_of(common: Shared, cache: PageCache, closers: list[Closer]) -> Pages:
    """The pages of this process, closed with it."""
    pages = Pages(
        versions=common.versions,
        builder=common.builder,
        shared=common.shared,
        codec=common.codec,
        tokens=common.tokens,
        cache=cache,
        clock=common.clock,
    )
    closers.append(pages.close)
    return pages


def coverage_of(
    settings: LeaderboardSettings, source: CoverageSource, clock: Clock, closers: list[Closer]
) -> ScopeCoverage:
    """What this process knows of coverage, closed with it."""
    coverage = ScopeCoverage(source, clock, limit=settings.pointer_cache_size)
    closers.append(coverage.close)
    return coverage


def watch_of(settings: LeaderboardSettings, common: Shared, pointers: Pointers) -> WatchLeaderboard:
    """The watchers of this process."""
    return WatchLeaderboard(
        boards=CurrentBoards(pointers, common.clock),
        pointers=pointers,
        changes=BoardChanges(
            common.comparisons, common.versions, common.builder, common.statistics
        ),
        codec=common.codec,
        clock=common.clock,
        places=TenantPlaces(each=settings.watchers_each, together=settings.watchers_together),
        statistics=common.statistics,
    )


def board_use_cases(
    common: Shared,
    pointers: Pointers,
    pages: Pages,
    masked: MaskedPages,
    *,
    coverage: ScopeCoverage,
    logins: Logins,
    watch: WatchLeaderboard,
) -> BoardUseCases:
    """What LeaderboardService's servicer calls."""
    get_leaderboard = GetLeaderboard(
        pointers=pointers,
        pages=pages,
        tokens=common.tokens,
        codec=common.codec,
        masked=masked,
        coverage=coverage,
        clock=common.clock,
        statistics=common.statistics,
    )
    boards = CurrentBoards(pointers, common.clock)
    return BoardUseCases(
        get_leaderboard=get_leaderboard,
        list_boards=ListBoards(common.versions, common.tokens),
        get_entry=GetEntry(boards, common.versions, logins, common.builder),
        batch_get_entries=BatchGetEntries(boards, common.versions, common.builder),
        get_history=GetHistory(boards, common.history, common.tokens, common.clock),
        export_leaderboard=ExportLeaderboard(
            boards,
            common.exports,
            common.builder,
            common.export_places,
        ),
        watch_leaderboard=watch,
        compare_versions=CompareVersions(boards, common.comparisons, common.builder, common.tokens),
    )
