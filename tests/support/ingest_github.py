"""A simulated GitHub with a story, and ingest's client of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, LiteralString

import orjson
import psycopg

from laurel_common.clock import Clock
from laurel_common.errors import InstallationNotFound
from laurel_ingest.application.errors import RepositoryNotFound
from laurel_ingest.application.history.ports import Account as Account_
from laurel_ingest.application.history.ports import PlannedRepository
from laurel_ingest.clients.github.history import GraphQLHistory
from laurel_ingest.clients.github.http import Connections, GraphQL
from laurel_ingest.domain.history.runs import Scope
from tests.support.database import Database
from tests.support.github import GitHubSimulator, World
from tests.support.github.activity import Activity
from tests.support.github.history import Size, fill
from tests.support.github.tokens import Token
from tests.support.github.world import Account, Installation, Repository


@dataclass
class Story:
    """An organization with the App, five people, and repositories full of their work."""

    repository_count: int = 1
    size: Size = field(default_factory=Size)
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.organization: Account = self.world.organization("Acme")
        self.people: list[Account] = [self.world.user(f"dev{each}") for each in range(5)]
        self.installation: Installation = self.world.install(self.organization)
        self.repositories: list[Repository] = [
            self.world.repository(self.organization, f"r{each}", private=True)
            for each in range(self.repository_count)
        ]
        for repository in self.repositories:
            fill(self.world, repository, self.people, self.size)


_LIFETIME = timedelta(minutes=55)


class FixedTokens:
    """Gives an installation's token without asking anybody; `value` is what tests may spoil.

    `refusal` is raised instead. One that GitHub refuses is replaced while `is_minting`, and one of
    an hour ago always, as identity does.
    """

    def __init__(self, world: World, installation: Installation, clock: Clock) -> None:
        self._world = world
        self._installation = installation
        self._clock = clock
        self._count = 0
        self.refusal: Exception | None = None
        self.is_minting = True
        self._mint()

    async def token(self, installation_id: int, *, refused: str = "") -> str:
        """The token."""
        if self.refusal is not None:
            raise self.refusal
        is_old = self._clock.now() - self._minted_at >= _LIFETIME
        if is_old or (refused == self.value and self.is_minting):
            self._mint()
        return self.value

    def _mint(self) -> None:
        self._count += 1
        self._minted_at = self._clock.now()
        self.value = f"ghs_test{self._count}"
        token = Token(self.value, "installation", self._installation.id, None)
        self._world.tokens[self.value] = token


def history_of(
    github: GitHubSimulator, tokens: FixedTokens, clock: Clock
) -> tuple[GraphQLHistory, Connections]:
    """Ingest's client of a simulator, and what has to be closed."""
    connections = Connections(github.api_url, tokens, clock)
    return GraphQLHistory(GraphQL(connections)), connections


class DatabaseRoster:
    """Whose the installation is and what it has, from identity's rows."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def account(self, installation_id: int) -> Account_:
        """The account of the one installation."""
        rows = await self._rows(
            "SELECT o.id, o.login FROM github_installations AS i"
            " JOIN organizations AS o ON o.id = i.organization_id WHERE i.installation_id = %s",
            [installation_id],
        )
        if not rows:
            raise InstallationNotFound
        return Account_(rows[0][0], rows[0][1])

    async def repositories(self, scope: Scope) -> list[PlannedRepository]:
        """The scope's repositories."""
        rows = await self._rows(
            "SELECT r.id, r.full_name FROM repositories AS r"
            " JOIN github_installations AS i ON i.organization_id = r.organization_id"
            " WHERE i.installation_id = %s AND coalesce(r.id = %s, true) AND (%s::bigint IS NULL"
            " OR r.id IN (SELECT repository_id FROM team_repositories WHERE team_id = %s))"
            " ORDER BY r.id",
            [scope.installation_id, scope.repository_id, scope.team_id, scope.team_id],
        )
        if scope.repository_id is not None and not rows:
            raise RepositoryNotFound
        return [PlannedRepository(row[0], row[1]) for row in rows]

    async def installed(self) -> AsyncIterator[tuple[int, int]]:
        """Every installation of the App that is not suspended."""
        rows = await self._rows(
            "SELECT installation_id, organization_id FROM github_installations"
            " WHERE app_id <> 0 AND suspended_at IS NULL ORDER BY 1",
            [],
        )
        for row in rows:
            yield row[0], row[1]

    async def _rows(self, query: LiteralString, values: list[Any]) -> list[Any]:
        async with await psycopg.AsyncConnection.connect(self._url) as connection:
            return await (await connection.execute(query, values)).fetchall()


def enter(story: Story, database: Database) -> None:
    """What identity has of a story once the App is installed."""
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO organizations (id, login) VALUES (%s, %s)",
            [story.organization.id, story.organization.login],
        )
        connection.execute(
            "INSERT INTO github_installations (installation_id, app_id, organization_id)"
            " VALUES (%s, 1, %s)",
            [story.installation.id, story.organization.id],
        )
        for each in story.repositories:
            connection.execute(
                "INSERT INTO repositories (id, full_name, name, owner_login, organization_id)"
                " VALUES (%s, %s, %s, %s, %s)",
                [
                    each.id,
                    story.world.full_name(each),
                    each.name,
                    story.organization.login,
                    story.organization.id,
                ],
            )


def clone(activity: Activity) -> list[bytes]:
    """The default branch as `git log` tells it."""
    lines = []
    for one in activity.history(activity.head or ""):
        name, email, _ = one.authors[0]
        trailers = [f"Co-authored-by: {mate} <{address}>" for mate, address, _ in one.authors[1:]]
        record = {
            "sha": one.oid,
            "parents": one.parents,
            "author": {"name": name, "email": email},
            "authored_at": one.authored_at.isoformat(),
            "message": "\n\n".join([one.message, *trailers]),
            "additions": one.additions,
            "deletions": one.deletions,
        }
        lines.append(orjson.dumps(record))
    return lines
