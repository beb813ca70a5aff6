"""MaterializationService on the wire."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from laurel.leaderboard.v1 import board_moves_pb2, materialization_pb2, materialization_pb2_grpc
from laurel_leaderboard.application.adopt_installation import AdoptInstallation
from laurel_leaderboard.application.forget_installation import ForgetInstallation
from laurel_leaderboard.application.forget_repository import ForgetRepository
from laurel_leaderboard.application.forget_team import ForgetTeam
from laurel_leaderboard.application.list_materializations import ListMaterializations
from laurel_leaderboard.application.mark_stale import MarkStale
from laurel_leaderboard.application.publish_materialization import PublishMaterialization
from laurel_leaderboard.application.purge_superseded import PurgeSuperseded
from laurel_leaderboard.rpc import convert


@dataclass(frozen=True, slots=True)
class VersionUseCases:
    """What the servicer calls."""

    publish: PublishMaterialization
    list_materializations: ListMaterializations
    mark_stale: MarkStale
    purge_superseded: PurgeSuperseded
    forget_team: ForgetTeam
    adopt_installation: AdoptInstallation
    forget_installation: ForgetInstallation
    forget_repository: ForgetRepository


class MaterializationServicer(materialization_pb2_grpc.MaterializationServiceServicer):
    """Publishes versions and tells of them."""

    def __init__(self, cases: VersionUseCases) -> None:
        self._cases = cases

    async def PublishMaterialization(
        self,
        request_iterator: AsyncIterator[materialization_pb2.PublishMaterializationRequest],
        _context: Any,
    ) -> materialization_pb2.PublishMaterializationResponse:
        """Publishes the boards of one installation, group by group."""
        messages = (convert.publish_message(request) async for request in request_iterator)
        outcome = await self._cases.publish(messages)
        return materialization_pb2.PublishMaterializationResponse(
            published_count=outcome.published, unchanged_count=len(outcome.unchanged)
        )

    async def MarkStale(
        self, request: materialization_pb2.MarkStaleRequest, _context: Any
    ) -> materialization_pb2.MarkStaleResponse:
        """Notes that boards do not hold a change yet."""
        mark = await self._cases.mark_stale(
            request.installation_id,
            [convert.board_address(board) for board in request.boards],
            convert.CAUSES[request.cause],
        )
        return materialization_pb2.MarkStaleResponse(mark=mark)

    async def PurgeSuperseded(
        self, request: materialization_pb2.PurgeSupersededRequest, _context: Any
    ) -> materialization_pb2.PurgeSupersededResponse:
        """Purges versions past their retention."""
        before = convert.before_time(request)
        purged = await self._cases.purge_superseded(before)
        return materialization_pb2.PurgeSupersededResponse(purged_count=purged)

    async def ForgetTeam(
        self, request: materialization_pb2.ForgetTeamRequest, _context: Any
    ) -> materialization_pb2.ForgetTeamResponse:
        """Forgets a team before its row goes."""
        done = await self._cases.forget_team(request.installation_id, request.team_id)
        return materialization_pb2.ForgetTeamResponse(
            forgotten_version_count=done.versions, changed_version_count=done.changed
        )

    async def AdoptInstallation(
        self, request: board_moves_pb2.AdoptInstallationRequest, _context: Any
    ) -> board_moves_pb2.AdoptInstallationResponse:
        """Gives an installation's boards to another one."""
        count = await self._cases.adopt_installation(
            request.from_installation_id, request.into_installation_id, request.organization_id
        )
        return board_moves_pb2.AdoptInstallationResponse(adopted_preset_count=count)

    async def ForgetInstallation(
        self, request: board_moves_pb2.ForgetInstallationRequest, _context: Any
    ) -> board_moves_pb2.ForgetInstallationResponse:
        """Deletes all boards of an installation that is about to be erased."""
        done = await self._cases.forget_installation(request.installation_id)
        return board_moves_pb2.ForgetInstallationResponse(
            forgotten_count=done.deleted_count, is_complete=done.is_complete
        )

    async def ForgetRepository(
        self, request: board_moves_pb2.ForgetRepositoryRequest, _context: Any
    ) -> board_moves_pb2.ForgetRepositoryResponse:
        """Deletes an installation's boards of a repository that left it."""
        count = await self._cases.forget_repository(request.installation_id, request.repository_id)
        return board_moves_pb2.ForgetRepositoryResponse(forgotten_version_count=count)

    async def ListMaterializations(
        self, request: materialization_pb2.ListMaterializationsRequest, _context: Any
    ) -> materialization_pb2.ListMaterializationsResponse:
        """Versions of an installation's boards."""
        has_board = request.HasField("board")
        records, token = await self._cases.list_materializations(
            request.installation_id,
            convert.board_address(request.board) if has_board else None,
            current_only=request.current_only,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        return materialization_pb2.ListMaterializationsResponse(
            materializations=map(convert.materialization, records), next_page_token=token
        )
