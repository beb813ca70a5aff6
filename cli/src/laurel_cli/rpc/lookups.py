"""From what people type (logins, slugs, names) to the ids that the services go by."""

import re
from collections.abc import Iterable
from typing import Any

from laurel.common.v1 import board_pb2, types_pb2
from laurel.identity.v1 import (
    directory_lists_pb2,
    directory_lookups_pb2,
    directory_pb2_grpc,
    entities_pb2,
    installation_pb2,
    installation_pb2_grpc,
)
from laurel_cli.errors import NotKnownError, UsageError
from laurel_cli.rpc.caller import Caller
from laurel_common.errors import RemoteError

Lookup = installation_pb2.GetInstallationRequest

_ID = re.compile(r"^-?[0-9]+$")
_LARGEST_ID = 2**63 - 1
_PAGE = 10_000
ENTITIES = {
    "contributors": types_pb2.ENTITY_TYPE_CONTRIBUTOR,
    "teams": types_pb2.ENTITY_TYPE_TEAM,
    "repositories": types_pb2.ENTITY_TYPE_REPOSITORY,
}
PERIODS = {
    "today": types_pb2.TIME_PERIOD_TODAY,
    "week": types_pb2.TIME_PERIOD_WEEK,
    "month": types_pb2.TIME_PERIOD_MONTH,
    "quarter": types_pb2.TIME_PERIOD_QUARTER,
    "half_year": types_pb2.TIME_PERIOD_HALF_YEAR,
    "all_time": types_pb2.TIME_PERIOD_ALL_TIME,
}


async def find_installation(caller: Caller, text: str) -> entities_pb2.Installation:
    """The installation with that id, or on the account with that login; logins may be digits."""
    number = parse_id(text)
    if number is None:
        if text.startswith("-"):
            raise UsageError(f"no such option: {text}")
        return await installation_of(caller, text)
    try:
        return await _installation(caller, Lookup(installation_id=number))
    except RemoteError as error:
        if number < 0 or error.reason != "INSTALLATION_NOT_FOUND":
            raise
    return await installation_of(caller, text)


async def installation_of(caller: Caller, login: str) -> entities_pb2.Installation:
    """The installation on the account with that login."""
    return await _installation(caller, Lookup(account_login=login))


async def _installation(caller: Caller, request: Lookup) -> entities_pb2.Installation:
    async with caller.channel("identity") as channel:
        stub = installation_pb2_grpc.InstallationServiceStub(channel)
        answer: installation_pb2.GetInstallationResponse = await stub.GetInstallation(request)
    return answer.installation


def parse_id(text: str) -> int | None:
    """`text` as an id; None where it is a name; raises UsageError for a number that no id has."""
    if not _ID.match(text):
        return None
    # Longer numbers are not even converted: Python refuses those of thousands of digits.
    number = int(text) if len(text) <= len(str(-_LARGEST_ID)) else None
    if number is None or not -_LARGEST_ID <= number <= _LARGEST_ID:
        raise UsageError(f"ids have 19 digits at most: {text[:40]!r}")
    return number


def parse_word(kind: str, text: str, words: Iterable[str]) -> str:
    """`text` as one of `words`, hyphens or underscores; raises UsageError that names them."""
    known = list(words)
    word = text.replace("-", "_").lower()
    if word not in known:
        raise UsageError(f"{kind} is one of {', '.join(known)}: {text!r}")
    return word


def parse_enum(kind: str, text: str, enum: Any) -> Any:
    """The number of a word of an enum, its prefix left out; raises UsageError that names them."""
    _, *names = enum.keys()
    prefix = enum.DESCRIPTOR.values[0].name.removesuffix("UNSPECIFIED")
    words = {name.removeprefix(prefix).lower(): enum.Value(name) for name in names}
    return words[parse_word(kind, text, words)]


async def find_board(
    caller: Caller,
    installation: entities_pb2.Installation,
    *,
    scope: str,
    entity: str,
    period: str,
) -> board_pb2.Board:
    """The board that options describe; raises NotKnownError, UsageError."""
    board = board_pb2.Board(
        installation_id=installation.installation_id,
        entity_type=ENTITIES[parse_word("--entity", entity, ENTITIES)],
        time_period=PERIODS[parse_word("--period", period, PERIODS)],
    )
    kind, _, name = scope.partition(":")
    if kind == "organization" and not name:
        board.scope_type = types_pb2.SCOPE_TYPE_ORGANIZATION
    elif kind == "team" and name:
        board.scope_type = types_pb2.SCOPE_TYPE_TEAM
        board.scope_id = (await find_team(caller, installation, name)).id
    elif kind == "repository" and name:
        board.scope_type = types_pb2.SCOPE_TYPE_REPOSITORY
        board.scope_id = (await find_repository(caller, installation, name)).id
    else:
        raise UsageError(f"--scope is organization, team:slug or repository:name: {scope!r}")
    return board


async def find_entity(
    caller: Caller, installation: entities_pb2.Installation, entity: str, name: str
) -> tuple[int, str]:
    """The id and the proper name of a contributor, team or repository."""
    kind = parse_word("--entity", entity, ENTITIES)
    if (known := parse_id(name)) is not None:
        return known, name
    if kind == "teams":
        team = await find_team(caller, installation, name)
        return team.id, team.slug
    if kind == "repositories":
        repository = await find_repository(caller, installation, name)
        return repository.id, repository.full_name
    return await find_user(caller, name)


async def find_user(caller: Caller, name: str) -> tuple[int, str]:
    """The id and the login of a user by either."""
    if (known := parse_id(name)) is not None:
        return known, name
    found = await _resolve(caller, directory_lookups_pb2.ResolveLoginsRequest(user_logins=[name]))
    if not found.users:
        raise NotKnownError(f"nobody has the login {name!r}")
    return found.users[0].id, found.users[0].login


async def find_team(
    caller: Caller, installation: entities_pb2.Installation, slug: str
) -> entities_pb2.Team:
    """A team of the account by its slug."""
    token = ""
    async with caller.channel("identity") as channel:
        stub = directory_pb2_grpc.DirectoryServiceStub(channel)
        while True:
            request = directory_lists_pb2.ListTeamsRequest(
                installation_id=installation.installation_id, page_size=_PAGE, page_token=token
            )
            answer: directory_lists_pb2.ListTeamsResponse = await stub.ListTeams(request)
            for team in answer.teams:
                if team.slug.lower() == slug.lower():
                    return team
            if not (token := answer.next_page_token):
                raise NotKnownError(f"{installation.account_login} has no team {slug!r}")


async def find_repository(
    caller: Caller, installation: entities_pb2.Installation, name: str
) -> entities_pb2.Repository:
    """A repository by owner/name, or by its name within the account."""
    full_name = name if "/" in name else f"{installation.account_login}/{name}"
    request = directory_lookups_pb2.ResolveLoginsRequest(repository_full_names=[full_name])
    found = await _resolve(caller, request)
    if not found.repositories:
        raise NotKnownError(f"no repository is known as {full_name!r}")
    return found.repositories[0]


async def _resolve(
    caller: Caller, request: directory_lookups_pb2.ResolveLoginsRequest
) -> directory_lookups_pb2.ResolveLoginsResponse:
    async with caller.channel("identity") as channel:
        stub = directory_pb2_grpc.DirectoryServiceStub(channel)
        answer: directory_lookups_pb2.ResolveLoginsResponse = await stub.ResolveLogins(request)
    return answer
