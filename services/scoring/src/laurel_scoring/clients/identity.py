"""Reads an installation's roster from identity."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import grpc

from laurel.identity.v1 import (
    directory_lists_pb2,
    directory_lookups_pb2,
    directory_pb2_grpc,
    installation_pb2,
    installation_pb2_grpc,
)
from laurel_scoring.domain.roster import Roster, Team
from laurel_scoring.domain.vocabulary import EntityType

PAGE_SIZE = 10_000


class IdentityDirectory:
    """Implements Directory."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._directory = directory_pb2_grpc.DirectoryServiceStub(channel)
        self._installations = installation_pb2_grpc.InstallationServiceStub(channel)

    async def roster(self, installation_id: int) -> Roster:
        """See Directory."""
        request = installation_pb2.GetInstallationRequest(installation_id=installation_id)
        installation, repositories, teams, members, places = await asyncio.gather(
            self._installations.GetInstallation(request),
            self._repositories(installation_id),
            self._teams(installation_id),
            self._team_members(installation_id),
            self._team_repositories(installation_id),
        )
        people_of: dict[int, set[int]] = defaultdict(set)
        for member in members:
            people_of[member.team_id].add(member.user_id)
        places_of: dict[int, set[int]] = defaultdict(set)
        for place in places:
            places_of[place.team_id].add(place.repository_id)
        return Roster(
            organization_id=installation.installation.account_id,
            repositories=frozenset(each.id for each in repositories),
            teams=tuple(
                Team(each.id, frozenset(people_of[each.id]), frozenset(places_of[each.id]))
                for each in teams
            ),
        )

    async def bots(self, user_ids: Sequence[int]) -> frozenset[int]:
        """See Directory."""
        found: set[int] = set()
        for first in range(0, len(user_ids), PAGE_SIZE):
            request = directory_lookups_pb2.BatchGetUsersRequest(
                user_ids=user_ids[first : first + PAGE_SIZE], bots_only=True
            )
            response = await self._directory.BatchGetUsers(request)
            found.update(user.id for user in response.users if user.is_bot)
        return frozenset(found)

    async def names(
        self, installation_id: int, kind: EntityType, ids: Collection[int]
    ) -> Mapping[int, str]:
        """See Directory."""
        wanted, found = sorted(set(ids)), dict[int, str]()
        for first in range(0, len(wanted), PAGE_SIZE):
            found |= await self._names(installation_id, kind, wanted[first : first + PAGE_SIZE])
        return found

    async def _names(
        self, installation_id: int, kind: EntityType, ids: Sequence[int]
    ) -> Mapping[int, str]:
        if kind is EntityType.CONTRIBUTOR:
            asked = directory_lookups_pb2.BatchGetUsersRequest(user_ids=ids)
            users = (await self._directory.BatchGetUsers(asked)).users
            return {each.id: each.login for each in users}
        page: dict[str, Any] = {"installation_id": installation_id, "page_size": len(ids)}
        if kind is EntityType.TEAM:
            teams = directory_lists_pb2.ListTeamsRequest(team_ids=ids, **page)
            return {each.id: each.slug for each in (await self._directory.ListTeams(teams)).teams}
        places = directory_lists_pb2.ListRepositoriesRequest(repository_ids=ids, **page)
        response = await self._directory.ListRepositories(places)
        return {each.id: each.full_name for each in response.repositories}

    async def _repositories(self, installation_id: int) -> list[Any]:
        async def page(token: str) -> tuple[Sequence[Any], str]:
            request = directory_lists_pb2.ListRepositoriesRequest(
                installation_id=installation_id, page_size=PAGE_SIZE, page_token=token
            )
            response = await self._directory.ListRepositories(request)
            return response.repositories, response.next_page_token

        return await _all(page)

    async def _teams(self, installation_id: int) -> list[Any]:
        async def page(token: str) -> tuple[Sequence[Any], str]:
            request = directory_lists_pb2.ListTeamsRequest(
                installation_id=installation_id, page_size=PAGE_SIZE, page_token=token
            )
            response = await self._directory.ListTeams(request)
            return response.teams, response.next_page_token

        return await _all(page)

    async def _team_members(self, installation_id: int) -> list[Any]:
        async def page(token: str) -> tuple[Sequence[Any], str]:
            request = directory_lists_pb2.ListTeamMembersRequest(
                installation_id=installation_id, page_size=PAGE_SIZE, page_token=token
            )
            response = await self._directory.ListTeamMembers(request)
            return response.team_members, response.next_page_token

        return await _all(page)

    async def _team_repositories(self, installation_id: int) -> list[Any]:
        async def page(token: str) -> tuple[Sequence[Any], str]:
            request = directory_lists_pb2.ListTeamRepositoriesRequest(
                installation_id=installation_id, page_size=PAGE_SIZE, page_token=token
            )
            response = await self._directory.ListTeamRepositories(request)
            return response.team_repositories, response.next_page_token

        return await _all(page)


async def _all(page: Callable[[str], Awaitable[tuple[Sequence[Any], str]]]) -> list[Any]:
    """The items of every page."""
    items, token = await page("")
    found = list(items)
    while token:
        items, token = await page(token)
        found.extend(items)
    return found
