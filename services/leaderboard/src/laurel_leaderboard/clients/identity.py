"""Asks identity how entities are shown and whom a name means: logins, slugs, full names."""

from collections.abc import Collection, Mapping

import grpc

from laurel.identity.v1 import directory_lists_pb2, directory_lookups_pb2, directory_pb2_grpc
from laurel_leaderboard.domain.boards import EntityType
from laurel_leaderboard.domain.entries import Profile

# What ResolveLogins takes; nothing bears a name beyond it.
_SHORTEST_FULL_NAME = 3
_LONGEST_LOGIN = 255
_TEAMS_PAGE = 10_000


class IdentityProfiles:
    """Profiles over a channel to identity whose calls raise RemoteError."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._directory = directory_pb2_grpc.DirectoryServiceStub(channel)

    async def profiles(
        self, installation_id: int, kind: EntityType, ids: Collection[int]
    ) -> Mapping[int, Profile]:
        """The profiles of those that identity knows; at most 10,000 ids."""
        if not ids:
            return {}
        if kind is EntityType.CONTRIBUTOR:
            return await self._users(ids)
        if kind is EntityType.TEAM:
            return await self._teams(installation_id, ids)
        return await self._repositories(installation_id, ids)

    async def _users(self, ids: Collection[int]) -> Mapping[int, Profile]:
        request = directory_lookups_pb2.BatchGetUsersRequest(user_ids=ids)
        response = await self._directory.BatchGetUsers(request)
        return {user.id: Profile(user.login, user.name, user.avatar_url) for user in response.users}

    async def _teams(self, installation_id: int, ids: Collection[int]) -> Mapping[int, Profile]:
        request = directory_lists_pb2.ListTeamsRequest(
            installation_id=installation_id, team_ids=ids, page_size=len(ids)
        )
        response = await self._directory.ListTeams(request)
        return {team.id: Profile(team.slug, team.name) for team in response.teams}

    async def _repositories(
        self, installation_id: int, ids: Collection[int]
    ) -> Mapping[int, Profile]:
        request = directory_lists_pb2.ListRepositoriesRequest(
            installation_id=installation_id, repository_ids=ids, page_size=len(ids)
        )
        response = await self._directory.ListRepositories(request)
        return {
            repository.id: Profile(repository.full_name) for repository in response.repositories
        }


class IdentityLogins:
    """Whom a login means, over a channel to identity whose calls raise RemoteError."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._directory = directory_pb2_grpc.DirectoryServiceStub(channel)

    async def find(self, installation_id: int, kind: EntityType, login: str) -> int | None:
        """The id of what bears this login, slug or full name, in any case; None for nothing."""
        if kind is EntityType.TEAM:
            return await self._team(installation_id, login.lower())
        contributor = kind is EntityType.CONTRIBUTOR
        if not contributor and len(login) < _SHORTEST_FULL_NAME:
            return None
        if contributor and len(login) > _LONGEST_LOGIN:
            return None
        request = directory_lookups_pb2.ResolveLoginsRequest(
            user_logins=[login] if contributor else [],
            repository_full_names=[] if contributor else [login],
        )
        response = await self._directory.ResolveLogins(request)
        found = response.users if contributor else response.repositories
        return found[0].id if found else None

    async def _team(self, installation_id: int, slug: str) -> int | None:
        request = directory_lists_pb2.ListTeamsRequest(
            installation_id=installation_id, page_size=_TEAMS_PAGE
        )
        while True:
            response = await self._directory.ListTeams(request)
            for team in response.teams:
                if team.slug.lower() == slug:
                    return team.id
            if not response.next_page_token:
                return None
            request.page_token = response.next_page_token
