"""The ports of names and logins, as identity's directory fulfils them over the wire."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from laurel.identity.v1 import (
    directory_lists_pb2,
    directory_lookups_pb2,
    directory_pb2,
    directory_pb2_grpc,
    entities_pb2,
)
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import LaurelError
from laurel_common.testing.server import serving
from laurel_leaderboard.clients.identity import IdentityLogins, IdentityProfiles
from laurel_leaderboard.domain.boards import EntityType
from laurel_leaderboard.domain.entries import Profile


class Directory(directory_pb2_grpc.DirectoryServiceServicer):
    """Answers as identity documents: what nobody has is left out, pages end at page_size."""

    async def BatchGetUsers(  # noqa: N802 - the method's name on the wire
        self, request: directory_lookups_pb2.BatchGetUsersRequest, _context: Any
    ) -> directory_lookups_pb2.BatchGetUsersResponse:
        users = {
            1: entities_pb2.User(id=1, login="ada", name="Ada", avatar_url="https://a/1"),
            -5: entities_pb2.User(id=-5, login="e-mail"),
        }
        found = [users[id_] for id_ in sorted(set(request.user_ids)) if id_ in users]
        return directory_lookups_pb2.BatchGetUsersResponse(users=found)

    async def ListTeams(  # noqa: N802 - the method's name on the wire
        self, request: directory_lists_pb2.ListTeamsRequest, _context: Any
    ) -> directory_lists_pb2.ListTeamsResponse:
        known = range(1, 400)
        ids = [id_ for id_ in sorted(request.team_ids or known) if id_ in known]
        begin = int(request.page_token or 0)
        # Without ids a page may be shorter than was asked for.
        end = begin + (request.page_size or 100 if request.team_ids else 300)
        teams = [entities_pb2.Team(id=id_, slug=f"t{id_}", name=f"Team {id_}") for id_ in ids]
        token = str(end) if end < len(teams) else ""
        return directory_lists_pb2.ListTeamsResponse(teams=teams[begin:end], next_page_token=token)

    async def ResolveLogins(  # noqa: N802 - the method's name on the wire
        self, request: directory_lookups_pb2.ResolveLoginsRequest, _context: Any
    ) -> directory_lookups_pb2.ResolveLoginsResponse:
        users = [entities_pb2.User(id=1, login="Ada") for x in request.user_logins if x == "ada"]
        repositories = [
            entities_pb2.Repository(id=9, full_name="acme/API")
            for name in request.repository_full_names
            if name == "acme/api"
        ]
        return directory_lookups_pb2.ResolveLoginsResponse(users=users, repositories=repositories)

    async def ListRepositories(  # noqa: N802 - the method's name on the wire
        self, request: directory_lists_pb2.ListRepositoriesRequest, _context: Any
    ) -> directory_lists_pb2.ListRepositoriesResponse:
        ids = [id_ for id_ in sorted(request.repository_ids) if id_ < 400]
        found = [entities_pb2.Repository(id=id_, full_name=f"acme/r{id_}") for id_ in ids]
        return directory_lists_pb2.ListRepositoriesResponse(
            repositories=found[: request.page_size or 100]
        )


@pytest.fixture
async def logins(tmp_path: Path) -> AsyncIterator[IdentityLogins]:
    servicer = (
        directory_pb2_grpc.add_DirectoryServiceServicer_to_server,
        Directory(),  # type: ignore[abstract]  # its other methods are not called
        directory_pb2.DESCRIPTOR.services_by_name["DirectoryService"],
    )
    async with serving([servicer], tmp_path) as server:
        yield IdentityLogins(server.channel(PrincipalKind.SERVICE, name="leaderboard"))


@pytest.mark.parametrize(
    ("kind", "login", "expected"),
    [
        (EntityType.CONTRIBUTOR, "ada", 1),
        (EntityType.CONTRIBUTOR, "nobody", None),
        (EntityType.CONTRIBUTOR, "a" * 300, None),
        (EntityType.TEAM, "T7", 7),
        (EntityType.TEAM, "t399", 399),
        (EntityType.TEAM, "t400", None),
        (EntityType.REPOSITORY, "acme/api", 9),
        (EntityType.REPOSITORY, "acme/none", None),
        (EntityType.REPOSITORY, "a", None),
    ],
)
async def test_a_login_leads_to_its_id(
    logins: IdentityLogins, kind: EntityType, login: str, expected: int | None
) -> None:
    assert await logins.find(7, kind, login) == expected


@pytest.fixture
async def profiles(tmp_path: Path) -> AsyncIterator[IdentityProfiles]:
    servicer = (
        directory_pb2_grpc.add_DirectoryServiceServicer_to_server,
        Directory(),  # type: ignore[abstract]  # its other methods are not called
        directory_pb2.DESCRIPTOR.services_by_name["DirectoryService"],
    )
    async with serving([servicer], tmp_path) as server:
        yield IdentityProfiles(server.channel(PrincipalKind.SERVICE, name="leaderboard"))


async def test_users_are_shown_by_login_name_and_picture(profiles: IdentityProfiles) -> None:
    found = await profiles.profiles(7, EntityType.CONTRIBUTOR, [1, -5, 99])
    assert found == {1: Profile("ada", "Ada", "https://a/1"), -5: Profile("e-mail")}


async def test_teams_are_shown_by_slug_and_name_a_whole_page_at_once(
    profiles: IdentityProfiles,
) -> None:
    found = await profiles.profiles(7, EntityType.TEAM, range(1, 401))
    assert len(found) == 399
    assert found[300] == Profile("t300", "Team 300")


async def test_repositories_are_shown_by_full_name(profiles: IdentityProfiles) -> None:
    found = await profiles.profiles(7, EntityType.REPOSITORY, range(101, 401))
    assert len(found) == 299
    assert found[300] == Profile("acme/r300")


@pytest.mark.parametrize("kind", EntityType)
async def test_nobody_is_asked_about_nobody(profiles: IdentityProfiles, kind: EntityType) -> None:
    assert await profiles.profiles(7, kind, []) == {}


async def test_a_refusal_is_a_typed_error(tmp_path: Path) -> None:
    servicer = (
        directory_pb2_grpc.add_DirectoryServiceServicer_to_server,
        Directory(),  # type: ignore[abstract]  # its other methods are not called
        directory_pb2.DESCRIPTOR.services_by_name["DirectoryService"],
    )
    async with serving([servicer], tmp_path) as server:
        stranger = IdentityProfiles(server.channel(PrincipalKind.GATEWAY))
        with pytest.raises(LaurelError):
            await stranger.profiles(7, EntityType.CONTRIBUTOR, [1])
