"""Whose an installation is and which repositories it has, from identity."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

import grpc

from laurel.identity.v1 import (
    directory_lists_pb2,
    directory_pb2_grpc,
    installation_pb2,
    installation_pb2_grpc,
)
from laurel_common.errors import InstallationNotFound, RemoteError
from laurel_ingest.application.errors import RepositoryNotFound
from laurel_ingest.application.history.ports import Account, PlannedRepository
from laurel_ingest.domain.history.runs import Scope

_PAGE: Final = 10_000
_INSTALLATIONS: Final = 1_000


class IdentityRoster:
    """A Roster."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._directory = directory_pb2_grpc.DirectoryServiceStub(channel)
        self._installations = installation_pb2_grpc.InstallationServiceStub(channel)

    async def account(self, installation_id: int) -> Account:
        """The account that the App is installed on."""
        request = installation_pb2.GetInstallationRequest(installation_id=installation_id)
        try:
            found = (await self._installations.GetInstallation(request)).installation
        except RemoteError as error:
            raise _typed(error) from error
        return Account(found.account_id, found.account_login)

    async def repositories(self, scope: Scope) -> Sequence[PlannedRepository]:
        """All of them, a team's, or one."""
        if scope.team_id is not None:
            return await self._named(scope.installation_id, await self._of_team(scope))
        if scope.repository_id is None:
            return await self._all(scope.installation_id)
        found = await self._named(scope.installation_id, [scope.repository_id])
        if not found:
            raise RepositoryNotFound
        return found

    async def installed(self) -> AsyncIterator[tuple[int, int]]:
        """All installations but the imported and the suspended ones, page by page."""
        token = ""
        while True:
            response = await self._installations.ListInstallations(
                installation_pb2.ListInstallationsRequest(
                    page_size=_INSTALLATIONS, page_token=token
                )
            )
            for each in response.installations:
                if each.app_id and not each.HasField("suspend_time"):
                    yield each.installation_id, each.account_id
            token = response.next_page_token
            if not token:
                return

    async def _all(self, installation_id: int) -> list[PlannedRepository]:
        found: list[PlannedRepository] = []
        token = ""
        while True:
            response = await self._directory.ListRepositories(
                directory_lists_pb2.ListRepositoriesRequest(
                    installation_id=installation_id, page_size=_PAGE, page_token=token
                )
            )
            found += [PlannedRepository(each.id, each.full_name) for each in response.repositories]
            token = response.next_page_token
            if not token:
                return found

    async def _named(self, installation_id: int, ids: Sequence[int]) -> list[PlannedRepository]:
        found: list[PlannedRepository] = []
        for start in range(0, len(ids), _PAGE):
            response = await self._directory.ListRepositories(
                directory_lists_pb2.ListRepositoriesRequest(
                    installation_id=installation_id,
                    page_size=_PAGE,
                    repository_ids=ids[start : start + _PAGE],
                )
            )
            found += [PlannedRepository(each.id, each.full_name) for each in response.repositories]
        return found

    async def _of_team(self, scope: Scope) -> list[int]:
        found: list[int] = []
        token = ""
        while True:
            response = await self._directory.ListTeamRepositories(
                directory_lists_pb2.ListTeamRepositoriesRequest(
                    installation_id=scope.installation_id,
                    team_id=scope.team_id or 0,
                    page_size=_PAGE,
                    page_token=token,
                )
            )
            found += [each.repository_id for each in response.team_repositories]
            token = response.next_page_token
            if not token:
                return found


def _typed(error: RemoteError) -> Exception:
    return InstallationNotFound() if error.reason == InstallationNotFound.reason else error
