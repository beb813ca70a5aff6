"""People who signed in, and an organization with something to hide: rows of identity's tables."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from psycopg import Connection

from tests.support.rows import Rows

ACME, GLOBEX, SOLO = 42, 43, 44
# Repositories and teams of acme.
PUBLIC, PRIVATE = 1001, 1002
OPEN_TEAM, SECRET_TEAM = 2001, 2002
EVER = datetime(2100, 1, 1, tzinfo=UTC)


def token_of(name: str) -> str:
    """The session token of a person."""
    return sha256(f"token of {name}".encode()).hexdigest()


def session_of(name: str) -> str:
    """The id of that person's session."""
    return sha256(token_of(name).encode()).hexdigest()


@dataclass
class People:
    """Ids by login. Of acme: `ada` administers it, `mona` is a member who reads its private
    repository and is in its secret team, `bob` a member who is and does neither, `otto` no member,
    who was let into the private repository alone. `zoe` is globex's, `solo` an account of its own.
    `late` signed in too long ago.
    """

    ids: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, login: str) -> int:
        return self.ids[login]


def settle(connection: Connection[Any], *, now: datetime) -> People:
    """Inserts them all; sessions live for a day from `now`."""
    rows, people = Rows(connection), People()
    for login in ("ada", "mona", "bob", "otto", "zoe", "late"):
        people.ids[login] = rows.user(login=login)
    people.ids["solo"] = rows.user(id=30, login="solo")
    for id_, login in ((10, "acme"), (20, "globex"), (30, "solo")):
        rows.organization(id=id_, login=login)
    rows.installation(installation_id=ACME, app_id=4711, organization_id=10)
    rows.installation(installation_id=GLOBEX, app_id=4711, organization_id=20)
    rows.installation(installation_id=SOLO, app_id=4711, user_account_id=30, account_type="user")
    for login, organization, role in (
        ("ada", 10, "admin"),
        ("mona", 10, "member"),
        ("bob", 10, "member"),
        ("zoe", 20, "admin"),
    ):
        rows.insert(
            "organization_memberships",
            user_id=people[login],
            organization_id=organization,
            role=role,
        )
    _repositories_and_teams(rows, people)
    _sessions(rows, people, now)
    return people


def _repositories_and_teams(rows: Rows, people: People) -> None:
    for id_, name, private in ((PUBLIC, "acme/site", False), (PRIVATE, "acme/vault", True)):
        rows.repository(
            id=id_,
            full_name=name,
            name=name.partition("/")[2],
            owner_login="acme",
            organization_id=10,
            is_private=private,
        )
        rows.insert("installation_repositories", installation_id=ACME, repository_id=id_)
    rows.team(10, id=OPEN_TEAM, slug="web", name="Web", privacy="closed")
    rows.team(10, id=SECRET_TEAM, slug="skunks", name="Skunks", privacy="secret")
    rows.insert("team_members", team_id=SECRET_TEAM, user_id=people["mona"])
    rows.insert("team_members", team_id=OPEN_TEAM, user_id=people["bob"])


def _sessions(rows: Rows, people: People, now: datetime) -> None:
    for login, user_id in people.ids.items():
        expires = now - timedelta(hours=1) if login == "late" else now + timedelta(days=1)
        rows.session(user_id, id=session_of(login), expires_at=expires)
    for login, readable in (
        ("ada", [PUBLIC, PRIVATE]),
        ("mona", [PUBLIC, PRIVATE]),
        ("bob", [PUBLIC]),
        ("otto", [PRIVATE]),
    ):
        session = session_of(login)
        rows.insert("session_installations", session_id=session, installation_id=ACME)
        rows.insert(
            "session_repositories",
            session_id=session,
            installation_id=ACME,
            repository_ids=readable,
            read_at=now,
        )
