"""Has the services that hold an installation's history move it."""

import grpc

from laurel.ingest.v1 import signal_moves_pb2, signal_pb2_grpc
from laurel.leaderboard.v1 import board_moves_pb2, materialization_pb2_grpc
from laurel.scoring.v1 import preset_moves_pb2, preset_pb2_grpc
from laurel_identity.domain.works import Heir


class HistoryServices:
    """A HistoryMover: signals are ingest's, boards leaderboard's, presets scoring's."""

    def __init__(
        self, ingest: grpc.aio.Channel, leaderboard: grpc.aio.Channel, scoring: grpc.aio.Channel
    ) -> None:
        self._signals = signal_pb2_grpc.SignalServiceStub(ingest)
        self._boards = materialization_pb2_grpc.MaterializationServiceStub(leaderboard)
        self._presets = preset_pb2_grpc.PresetServiceStub(scoring)

    async def signals(self, former: int, later: int, repository_id: int = 0) -> bool:
        """See HistoryMover."""
        answer = await self._signals.AdoptInstallation(
            signal_moves_pb2.AdoptInstallationRequest(
                from_installation_id=former,
                into_installation_id=later,
                repository_id=repository_id,
            )
        )
        return answer.is_complete

    async def boards(self, former: int, heir: Heir) -> None:
        """See HistoryMover."""
        await self._boards.AdoptInstallation(
            board_moves_pb2.AdoptInstallationRequest(
                from_installation_id=former,
                into_installation_id=heir.installation_id,
                organization_id=heir.account_id,
            )
        )

    async def repository_boards(self, former: int, repository_id: int) -> None:
        """See HistoryMover."""
        await self._boards.ForgetRepository(
            board_moves_pb2.ForgetRepositoryRequest(
                installation_id=former, repository_id=repository_id
            )
        )

    async def presets(self, former: int, later: int) -> None:
        """See HistoryMover."""
        await self._presets.AdoptInstallation(
            preset_moves_pb2.AdoptInstallationRequest(
                from_installation_id=former, into_installation_id=later
            )
        )

    async def forget(self, installation_id: int) -> bool:
        """See HistoryMover. Boards first, so that nobody reads what is half gone."""
        boards = await self._boards.ForgetInstallation(
            board_moves_pb2.ForgetInstallationRequest(installation_id=installation_id)
        )
        if not boards.is_complete:
            return False
        signals = await self._signals.ForgetInstallation(
            signal_moves_pb2.ForgetInstallationRequest(installation_id=installation_id)
        )
        return signals.is_complete
