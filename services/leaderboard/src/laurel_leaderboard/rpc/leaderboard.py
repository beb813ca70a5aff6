"""LeaderboardService on the wire."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from laurel.leaderboard.v1 import export_pb2, leaderboard_pb2, leaderboard_pb2_grpc
from laurel_common.rpc.chain import ready_made
from laurel_leaderboard.application.batch_get_entries import BatchGetEntries
from laurel_leaderboard.application.compare_versions import CompareVersions
from laurel_leaderboard.application.export_leaderboard import ExportLeaderboard
from laurel_leaderboard.application.get_entry import GetEntry
from laurel_leaderboard.application.get_history import GetHistory
from laurel_leaderboard.application.get_leaderboard import GetLeaderboard
from laurel_leaderboard.application.list_boards import ListBoards
from laurel_leaderboard.application.watch_leaderboard import WatchLeaderboard
from laurel_leaderboard.rpc import convert, convert_comparison, convert_entries, convert_export


@dataclass(frozen=True, slots=True)
class BoardUseCases:
    """What the servicer calls."""

    get_leaderboard: GetLeaderboard
    list_boards: ListBoards
    get_entry: GetEntry
    batch_get_entries: BatchGetEntries
    get_history: GetHistory
    compare_versions: CompareVersions
    export_leaderboard: ExportLeaderboard
    watch_leaderboard: WatchLeaderboard


class LeaderboardServicer(leaderboard_pb2_grpc.LeaderboardServiceServicer):
    """Reads boards."""

    def __init__(self, cases: BoardUseCases) -> None:
        self._cases = cases

    async def GetLeaderboard(
        self, request: leaderboard_pb2.GetLeaderboardRequest, _context: Any
    ) -> leaderboard_pb2.GetLeaderboardResponse:
        """A page of a board, as bytes that lie ready."""
        address = convert.board_address(request.board)
        data = await self._cases.get_leaderboard(address, request.page_size, request.page_token)
        return ready_made(leaderboard_pb2.GetLeaderboardResponse, data)

    async def GetEntry(
        self, request: leaderboard_pb2.GetEntryRequest, _context: Any
    ) -> leaderboard_pb2.GetEntryResponse:
        """One entity, with those who stand next to it."""
        address = convert.board_address(request.board)
        entity = convert_entries.entity_of(request)
        found = await self._cases.get_entry(address, entity, request.neighbor_count)
        return convert_entries.entry_response(found)

    async def BatchGetEntries(
        self, request: leaderboard_pb2.BatchGetEntriesRequest, _context: Any
    ) -> leaderboard_pb2.BatchGetEntriesResponse:
        """Some entities of a board."""
        address = convert.board_address(request.board)
        return convert_entries.batch_response(
            await self._cases.batch_get_entries(address, request.entity_ids)
        )

    async def GetHistory(
        self, request: leaderboard_pb2.GetHistoryRequest, _context: Any
    ) -> leaderboard_pb2.GetHistoryResponse:
        """Where entities stood at the end of past days."""
        points, token = await self._cases.get_history(
            convert.board_address(request.board),
            request.entity_ids,
            convert_entries.days_asked(request),
            request.page_size,
            request.page_token,
        )
        return leaderboard_pb2.GetHistoryResponse(
            points=map(convert_entries.history_point, points), next_page_token=token
        )

    async def CompareVersions(
        self, request: leaderboard_pb2.CompareVersionsRequest, _context: Any
    ) -> leaderboard_pb2.CompareVersionsResponse:
        """Who moved since a former version or a past day."""
        found = await self._cases.compare_versions(
            convert.board_address(request.board),
            convert_comparison.compared_with(request),
            request.page_size,
            request.page_token,
        )
        return convert_comparison.comparison_response(found)

    async def ExportLeaderboard(
        self, request: export_pb2.ExportLeaderboardRequest, _context: Any
    ) -> AsyncIterator[export_pb2.ExportLeaderboardResponse]:
        """A whole version as a file, in pieces."""
        form = convert_export.format_of(request)
        parts = self._cases.export_leaderboard(
            convert.board_address(request.board), form, request.materialization_id
        )
        async with aclosing(parts):
            async for part in parts:
                yield convert_export.export_message(part, form)

    async def WatchLeaderboard(
        self, request: leaderboard_pb2.WatchLeaderboardRequest, _context: Any
    ) -> AsyncIterator[leaderboard_pb2.WatchLeaderboardResponse]:
        """Each change of a board, as bytes that all its watchers share."""
        address = convert.board_address(request.board)
        messages = self._cases.watch_leaderboard(address, request.materialization_id)
        async with aclosing(messages):
            async for data in messages:
                yield ready_made(leaderboard_pb2.WatchLeaderboardResponse, data)

    async def ListBoards(
        self, request: leaderboard_pb2.ListBoardsRequest, _context: Any
    ) -> leaderboard_pb2.ListBoardsResponse:
        """The boards of an installation."""
        versions, token = await self._cases.list_boards(
            request.installation_id,
            convert.SCOPES.get(request.scope_type),
            request.page_size,
            request.page_token,
        )
        return leaderboard_pb2.ListBoardsResponse(
            boards=map(convert.board_summary, versions), next_page_token=token
        )
