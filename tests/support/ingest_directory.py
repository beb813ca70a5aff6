"""A directory for tests of ingest alone: it writes identity's rows straight into the database."""

from collections.abc import Collection, Mapping, Sequence

import psycopg

from laurel_common.errors import InstallationNotFound
from laurel_ingest.application.ports import Account, RepositoryEntry, Resolved
from laurel_ingest.domain.findings import Owner
from laurel_ingest.domain.identities import (
    claimed_synthetic_ids,
    is_synthetic,
    synthetic_id_of_login,
)
from laurel_ingest.domain.people import Person


class DatabaseDirectory:
    """Does what identity does for a first import; `url` belongs to a role that owns the tables.

    `calls` counts, so that tests can see what is not asked twice; `installations`, where set, are
    all that there are.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.calls = 0
        self.installations: set[int] | None = None

    async def _connect(self) -> psycopg.AsyncConnection[tuple[object, ...]]:
        self.calls += 1
        return await psycopg.AsyncConnection.connect(self.url)

    async def resolve(
        self, user_logins: Collection[str], repository_names: Collection[str]
    ) -> Resolved:
        async with await self._connect() as connection:
            users = await connection.execute(
                "SELECT lower(login), id FROM users WHERE lower(login) = ANY (%s)",
                [[each.lower() for each in user_logins]],
            )
            user_ids = {str(row[0]): int(str(row[1])) for row in await users.fetchall()}
            repositories = await connection.execute(
                "SELECT lower(full_name), id FROM repositories WHERE lower(full_name) = ANY (%s)",
                [[each.lower() for each in repository_names]],
            )
            ids = {str(row[0]): int(str(row[1])) for row in await repositories.fetchall()}
        return Resolved(user_ids, ids)

    async def claimants(self, synthetic_ids: Collection[int]) -> Mapping[int, int]:
        async with await self._connect() as connection:
            found = await connection.execute("SELECT id, login FROM users ORDER BY id DESC")
            users = [(int(str(row[0])), str(row[1])) for row in await found.fetchall()]
        claims = {
            synthetic_id: user_id
            for user_id, login in users
            if not is_synthetic(user_id)
            for synthetic_id in claimed_synthetic_ids(user_id, login)
            if synthetic_id != synthetic_id_of_login(login)
        }
        return {each: claims[each] for each in synthetic_ids if each in claims}

    async def enter_owners(
        self, owners: Sequence[Owner], observed_at: int
    ) -> Mapping[str, Account]:
        accounts = {}
        async with await self._connect() as connection:
            for owner in owners:
                account_id = owner.account_id or synthetic_id_of_login(owner.login)
                await connection.execute(
                    "INSERT INTO organizations (id, login) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                    [account_id, owner.login],
                )
                found = await connection.execute(
                    "SELECT id FROM organizations WHERE lower(login) = lower(%s) OR id = %s"
                    " ORDER BY lower(login) = lower(%s) DESC LIMIT 1",
                    [owner.login, account_id, owner.login],
                )
                account_id = int(str((await found.fetchone() or [0])[0]))
                await connection.execute(
                    "INSERT INTO github_installations (installation_id, app_id, organization_id)"
                    " VALUES (%s, 0, %s) ON CONFLICT DO NOTHING",
                    [-account_id, account_id],
                )
                # Where the App is installed, that is the installation; -id comes last.
                found = await connection.execute(
                    "SELECT max(installation_id) FROM github_installations"
                    " WHERE organization_id = %s",
                    [account_id],
                )
                installation_id = int(str((await found.fetchone() or [0])[0]))
                accounts[owner.login.lower()] = Account(account_id, installation_id)
        return accounts

    async def enter(
        self, users: Sequence[Person], repositories: Sequence[RepositoryEntry], observed_at: int
    ) -> None:
        async with await self._connect() as connection, connection.cursor() as cursor:
            # Identity's stripes, all as one: who enters the same people waits for the other.
            await cursor.execute("SELECT pg_advisory_xact_lock(1)")
            await cursor.executemany(
                "INSERT INTO users (id, login, avatar_url, is_bot) VALUES (%s, %s, '', %s)"
                " ON CONFLICT DO NOTHING",
                [[p.user_id, f"{p.login}.{p.user_id}", p.is_bot] for p in users],
            )
            await cursor.executemany(
                "UPDATE users SET login = %s WHERE id = %s AND NOT EXISTS"
                " (SELECT FROM users WHERE lower(login) = lower(%s))",
                [[p.login, p.user_id, p.login] for p in users if p.login and _bears_login(p)],
            )
            await cursor.executemany(
                "UPDATE repositories SET full_name = full_name || '~' || id"
                " WHERE lower(full_name) = lower(%s) AND id <> %s",
                [[r.full_name, r.repository_id] for r in repositories],
            )
            await cursor.executemany(
                "INSERT INTO repositories (id, full_name, name, owner_login, organization_id)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [
                    [r.repository_id, r.full_name, *reversed(r.full_name.split("/")), r.account_id]
                    for r in repositories
                ],
            )

    async def missing_users(self, user_ids: Collection[int]) -> set[int]:
        return await self._missing("users", user_ids)

    async def missing_repositories(
        self, installation_id: int, repository_ids: Collection[int]
    ) -> set[int]:
        return await self._missing("repositories", repository_ids)

    async def require_installation(self, installation_id: int) -> None:
        if self.installations is not None and installation_id not in self.installations:
            raise InstallationNotFound

    async def _missing(self, table: str, ids: Collection[int]) -> set[int]:
        async with await self._connect() as connection:
            found = await connection.execute(
                f"SELECT id FROM {table} WHERE id = ANY (%s)",  # noqa: S608 - two names of ours
                [list(ids)],
            )
            return set(ids) - {int(str(row[0])) for row in await found.fetchall()}


def _bears_login(person: Person) -> bool:
    """Not so of somebody whom an older private address names: its login may be another's by now."""
    named = person.login is not None and person.user_id == synthetic_id_of_login(person.login)
    return named or not is_synthetic(person.user_id)
