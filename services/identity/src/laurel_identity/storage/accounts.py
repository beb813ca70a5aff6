"""Accounts as tenants: what is known of them, and their installations."""

from collections.abc import Collection, Mapping

from sqlalchemy import BigInteger, Text, and_, case, cast, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_identity.domain.names import is_synthetic
from laurel_identity.domain.owners import AccountInstallation, AccountType, KnownAccounts
from laurel_identity.storage.account_merging import merge_accounts
from laurel_identity.storage.columns import Columns, any_id, any_name, unnested
from laurel_identity.storage.installation_queries import account_of, is_of, primary_installations
from laurel_identity.storage.installation_repositories import settle_repositories
from laurel_identity.storage.tables import (
    folded_sql,
    merged_accounts,
    organizations,
    repositories,
    team_members,
    teams,
    users,
)
from laurel_identity.storage.tables import github_installations as installations

_MEMBERS: Columns = [("organization_id", BigInteger()), ("user_id", BigInteger())]
_TYPED: Columns = [("id", BigInteger()), ("kind", Text())]


class SqlAccountStore:
    """An AccountStore over PostgreSQL, within a transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def known(self, ids: Collection[int], logins: Collection[str]) -> KnownAccounts:
        """What the directory knows about these ids and logins."""
        merged = await self.merged(ids)
        by_login = await self.by_login(logins)
        login = folded_sql(users.c.login)
        rows = await self._connection.execute(
            select(login, users.c.id).where(any_name(login, logins))
        )
        user_logins = {row[0]: row[1] for row in rows}
        accounts = {*ids, *merged.values(), *by_login.values(), *user_logins.values()}
        found = await self._connection.scalars(
            select(users.c.id).where(any_id(users.c.id, accounts))
        )
        synthetic = {each for each in ids if is_synthetic(each)} - set(merged)
        standing = await self._connection.scalars(
            select(organizations.c.id).where(any_id(organizations.c.id, synthetic))
        )
        return KnownAccounts(
            organizations=by_login,
            users=user_logins,
            user_ids=set(found),
            merged=merged,
            synthetic=set(standing),
            installations=await self.installations(accounts),
        )

    async def merged(self, ids: Collection[int]) -> Mapping[int, int]:
        """Which accounts the synthetic ones among the ids turned out to be."""
        rows = await self._connection.execute(
            select(merged_accounts.c.account_id, merged_accounts.c.into_account_id).where(
                any_id(merged_accounts.c.account_id, ids)
            )
        )
        return {row[0]: row[1] for row in rows}

    async def by_login(self, logins: Collection[str]) -> Mapping[str, int]:
        """The accounts that hold these logins."""
        login = folded_sql(organizations.c.login)
        rows = await self._connection.execute(
            select(login, organizations.c.id).where(any_name(login, logins))
        )
        return {row[0]: row[1] for row in rows}

    async def merge(self, pairs: Mapping[int, int]) -> None:
        """Gives all of each synthetic account to the account that it turned out to be."""
        await merge_accounts(self._connection, pairs)

    async def installations(self, accounts: Collection[int]) -> Mapping[int, AccountInstallation]:
        """The installation of each account that has one."""
        rows = await self._connection.execute(primary_installations(is_of(accounts)))
        return {
            row.account_id: AccountInstallation(
                row.installation_id, row.app_id, AccountType(row.account_type)
            )
            for row in rows
        }

    async def install(self, accounts: Mapping[int, AccountType]) -> None:
        """Gives each account the installation of an imported one."""
        new = unnested("new", _TYPED, sorted(accounts.items()))
        is_user = new.c.kind == AccountType.USER.value
        await self._connection.execute(
            insert(installations).from_select(
                [
                    "installation_id",
                    "app_id",
                    "organization_id",
                    "user_account_id",
                    "account_type",
                ],
                select(
                    -new.c.id,
                    literal(0, BigInteger),
                    case((is_user, None), else_=new.c.id),
                    case((is_user, new.c.id), else_=None),
                    cast(new.c.kind, installations.c.account_type.type),
                ).order_by(new.c.id.desc()),
            )
        )

    async def retype(self, kinds: Mapping[int, AccountType]) -> None:
        """Makes imported installations ones of the other type of account."""
        new = unnested("new", _TYPED, sorted(kinds.items()))
        is_user = new.c.kind == AccountType.USER.value
        await self._connection.execute(
            update(installations)
            .where(installations.c.installation_id == new.c.id)
            .values(
                organization_id=case((is_user, None), else_=account_of),
                user_account_id=case((is_user, account_of), else_=None),
                account_type=cast(new.c.kind, installations.c.account_type.type),
            )
        )

    async def link_unowned(self, accounts: Collection[int]) -> set[int]:
        """Gives repositories of unknown account to the one of these with their owner's login."""
        linked = await self._connection.scalars(
            update(repositories)
            .where(
                any_id(organizations.c.id, accounts),
                repositories.c.organization_id.is_(None),
                folded_sql(repositories.c.owner_login) == folded_sql(organizations.c.login),
            )
            .values(organization_id=organizations.c.id)
            .returning(repositories.c.id)
        )
        return set(linked)

    async def team_places(self, members: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """(team, user) of the teams of each (organization, user) that the user is in."""
        wanted = unnested("wanted", _MEMBERS, sorted(members))
        rows = await self._connection.execute(
            select(team_members.c.team_id, team_members.c.user_id)
            .join(teams, teams.c.id == team_members.c.team_id)
            .join(
                wanted,
                and_(
                    teams.c.organization_id == wanted.c.organization_id,
                    team_members.c.user_id == wanted.c.user_id,
                ),
            )
        )
        return {(row[0], row[1]) for row in rows}

    async def settle_repositories(
        self, repository_ids: Collection[int], accounts: Collection[int]
    ) -> None:
        """Makes repositories stand in the installation of their account and in no other."""
        await settle_repositories(self._connection, repository_ids, accounts)
