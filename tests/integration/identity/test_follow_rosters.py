"""Boards follow rosters: each change that they depend on is noted with it, and told until heard."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg import Connection

from laurel_common.db.engine import create_engine
from laurel_common.errors import RemoteError
from laurel_identity.application.follow_rosters import FollowRosters
from laurel_identity.storage.roster_notices import RosterNoticeTable
from tests.support.database import Database
from tests.support.rows import Rows

_NOTED = "SELECT DISTINCT installation_id FROM roster_notices ORDER BY 1"


class Town:
    """Two organizations with the App; of one, a team of two people and a repository that is seen,
    one that is not, and a team of nobody.
    """

    def __init__(self, owner: Connection[Any]) -> None:
        self.owner, rows = owner, Rows(owner)
        self.rows = rows
        self.acme, self.globex = rows.organization(), rows.organization()
        self.app, self.other = (
            rows.installation(organization_id=each) for each in (self.acme, self.globex)
        )
        self.ann, self.bob, self.eve = rows.user(), rows.user(), rows.user()
        self.site, self.attic = (rows.repository(organization_id=self.acme) for _ in range(2))
        self.core, self.empty = rows.team(self.acme), rows.team(self.acme)
        for user in (self.ann, self.bob):
            rows.insert("team_members", team_id=self.core, user_id=user)
        rows.insert("team_repositories", team_id=self.core, repository_id=self.site)
        rows.insert("installation_repositories", installation_id=self.app, repository_id=self.site)
        owner.execute("DELETE FROM roster_notices")

    def does(self, statement: str) -> None:
        """Changes something as identity."""
        names = {name: value for name, value in vars(self).items() if isinstance(value, int)}
        self.owner.execute(statement.format_map(names))

    def noted(self) -> list[int]:
        """Whose boards have to follow."""
        return [row[0] for row in self.owner.execute(_NOTED)]


@pytest.fixture
def town(module_database: Database) -> Iterator[Town]:
    with module_database.connect(autocommit=False) as owner:
        town = Town(owner)
        # What was there before the transaction of the change.
        owner.execute("UPDATE repositories SET created_at = now() - interval '1 day'")
        owner.execute("SET LOCAL ROLE laurel_identity")
        yield town
        owner.rollback()


@pytest.mark.parametrize(
    ("change", "follows"),
    [
        pytest.param(
            "INSERT INTO team_members (team_id, user_id) VALUES ({core}, {eve})",
            True,
            id="a member joins",
        ),
        pytest.param("DELETE FROM team_members WHERE user_id = {bob}", True, id="a member leaves"),
        pytest.param(
            "INSERT INTO team_members (team_id, user_id, role) VALUES ({core}, {ann}, 'maintainer')"
            " ON CONFLICT (team_id, user_id) DO UPDATE SET role = excluded.role",
            False,
            id="a role changes",
        ),
        pytest.param(
            "INSERT INTO teams (id, organization_id, slug, name) VALUES (1, {acme}, 'new', 'N')",
            False,
            id="a team comes that nobody is in",
        ),
        pytest.param("DELETE FROM teams WHERE id = {core}", True, id="a team goes"),
        pytest.param(
            "UPDATE teams SET slug = 'else', privacy = 'secret' WHERE id = {core}",
            False,
            id="a team is renamed and hidden",
        ),
        pytest.param(
            "INSERT INTO team_repositories (team_id, repository_id) VALUES ({core}, {attic})",
            True,
            id="a team gets a repository",
        ),
        pytest.param("DELETE FROM team_repositories", True, id="a team loses a repository"),
        pytest.param(
            "INSERT INTO installation_repositories (installation_id, repository_id)"
            " VALUES ({app}, {attic})",
            True,
            id="a repository is given to the App",
        ),
        pytest.param(
            "DELETE FROM installation_repositories", True, id="a repository is taken from the App"
        ),
        pytest.param("DELETE FROM users WHERE id = {bob}", True, id="a member is deleted"),
        pytest.param("DELETE FROM users WHERE id = {eve}", False, id="somebody else is deleted"),
        pytest.param("DELETE FROM repositories WHERE id = {site}", True, id="a repository goes"),
        pytest.param(
            "UPDATE repositories SET is_private = true WHERE id = {site}",
            False,
            id="a repository is made private",
        ),
        pytest.param(
            "WITH new AS (INSERT INTO repositories (id, full_name, name, owner_login,"
            " organization_id) VALUES (1, 'a/b', 'b', 'a', {acme}) RETURNING id)"
            " INSERT INTO installation_repositories (installation_id, repository_id)"
            " SELECT {app}, id FROM new",
            False,
            id="an import brings a repository that nobody knew",
        ),
        pytest.param(
            "INSERT INTO team_members (team_id, user_id) SELECT {core}, {eve} WHERE false",
            False,
            id="nothing at all",
        ),
        pytest.param(
            "DELETE FROM github_installations WHERE installation_id = {app}",
            False,
            id="the installation is erased",
        ),
    ],
)
def test_what_boards_depend_on_is_noted_with_the_change(
    town: Town, change: str, follows: bool
) -> None:
    town.does(change)
    assert town.noted() == ([town.app] if follows else [])


def test_an_uninstalled_installation_is_let_be(town: Town) -> None:
    town.does("UPDATE github_installations SET suspended_at = now(), suspended_by = 'uninstalled'")
    town.does("DELETE FROM team_members")
    assert town.noted() == []


class Scoring:
    """Notes what it is told; does something meanwhile where it is asked to."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.meanwhile: Callable[[int], None] = lambda _: None

    async def __call__(self, installation_id: int) -> None:
        self.told.append(installation_id)
        meanwhile, self.meanwhile = self.meanwhile, lambda _: None
        meanwhile(installation_id)


async def test_each_change_is_told_until_it_is_heard_and_many_at_once_as_one(
    database: Database,
) -> None:
    scoring = Scoring()
    engine = create_engine(database.url("laurel_identity"), application_name="test", pool_size=2)
    with database.connect() as owner:
        town = Town(owner)
        join = "INSERT INTO team_members (team_id, user_id) VALUES ({team}, {user})"

        def change(_: int = 0) -> None:
            town.does("DELETE FROM team_members WHERE user_id = {ann}")
            town.does("INSERT INTO team_members (team_id, user_id) VALUES ({core}, {ann})")

        def away(_: int) -> None:
            raise RemoteError("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE", "away")

        def unknown(_: int) -> None:
            raise RemoteError("NOT_FOUND", "INSTALLATION_NOT_FOUND", "unknown")

        def follow() -> FollowRosters:
            # As another process, or one that has been started again, would.
            return FollowRosters(RosterNoticeTable(engine), scoring)

        change()
        rows = Rows(owner)
        owner.execute(join.format(team=rows.team(town.globex), user=town.eve))
        scoring.meanwhile = away
        await follow()()
        # One could not be told of; that kept nobody else from being.
        assert sorted(scoring.told) == [town.app, town.other]
        (left,) = town.noted()
        scoring.told.clear()
        scoring.meanwhile = change
        await follow()()
        await follow()()
        await follow()()
        assert scoring.told == ([left, town.app] if left != town.app else [town.app, town.app])
        change()
        scoring.meanwhile = unknown
        await follow()()
        assert town.noted() == []
    await engine.dispose()
