"""Lookups of users, accounts and repositories by id and by name."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, literal, not_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db.transaction import transaction
from laurel_identity.domain.entities import Entity, Repository, User
from laurel_identity.domain.installations import Account, Viewer, Visibility
from laurel_identity.storage.columns import any_id, any_name
from laurel_identity.storage.installation_queries import account_of
from laurel_identity.storage.mappings import REPOSITORIES, USERS, EntityMapping, columns_of
from laurel_identity.storage.tables import (
    folded_sql,
    github_installations,
    merged_accounts,
    organization_memberships,
    organizations,
    private_addresses,
    repositories,
    session_repositories,
    users,
)

E = TypeVar("E", bound=Entity)
_ACCOUNT = (
    organizations.c.id,
    organizations.c.login,
    organizations.c.name,
    organizations.c.avatar_url,
    organizations.c.created_at,
    organizations.c.updated_at,
)


class SqlDirectoryReader:
    """A DirectoryReader over PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def users(self, ids: Collection[int], *, bots_only: bool) -> Sequence[User]:
        """Users by id."""
        found = any_id(users.c.id, ids)
        return await self._entities(USERS, found & users.c.is_bot if bots_only else found)

    async def users_by_login(self, logins: Collection[str]) -> Sequence[User]:
        """Users by folded login."""
        return await self._entities(USERS, any_name(folded_sql(users.c.login), logins))

    async def users_by_synthetic_id(self, synthetic_ids: Collection[int]) -> Mapping[int, int]:
        """The oldest user of each private address that was made a synthetic id."""
        address = private_addresses.c
        query = (
            select(address.synthetic_id, func.min(address.user_id))
            .join(users, users.c.id == address.user_id)
            .where(any_id(address.synthetic_id, synthetic_ids))
            .group_by(address.synthetic_id)
        )
        async with transaction(self._engine) as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}

    async def repositories_by_full_name(
        self, full_names: Collection[str], visibility: Visibility
    ) -> Sequence[Repository]:
        """Repositories by folded full name."""
        named = any_name(folded_sql(repositories.c.full_name), full_names)
        visible = _is_visible(repositories.c.organization_id, visibility)
        if visibility.viewer is not None:
            visible = visible & _is_readable(visibility.viewer)
        return await self._entities(REPOSITORIES, named & visible)

    async def organizations_by_login(
        self, logins: Collection[str], visibility: Visibility
    ) -> Sequence[Account]:
        """Accounts by folded login."""
        named = any_name(folded_sql(organizations.c.login), logins)
        return await self._accounts(select(*_ACCOUNT).where(named), visibility)

    async def organization(self, account_id: int, visibility: Visibility) -> Account | None:
        """One account; a synthetic id finds the account that it turned out to be."""
        into = (
            select(merged_accounts.c.into_account_id)
            .where(merged_accounts.c.account_id == account_id)
            .scalar_subquery()
        )
        wanted = organizations.c.id == func.coalesce(into, literal(account_id))
        found = await self._accounts(select(*_ACCOUNT).where(wanted), visibility)
        return found[0] if found else None

    async def organizations(
        self, after: int | None, limit: int, visibility: Visibility
    ) -> Sequence[Account]:
        """At most `limit` accounts with ids above `after`."""
        page = select(*_ACCOUNT).limit(limit)
        if after is not None:
            page = page.where(organizations.c.id > after)
        return await self._accounts(page, visibility)

    async def _accounts(self, query: Select[Any], visibility: Visibility) -> list[Account]:
        visible = query.where(_is_visible(organizations.c.id, visibility))
        async with transaction(self._engine) as connection:
            rows = await connection.execute(visible.order_by(organizations.c.id))
            return [Account(*row) for row in rows]

    async def _entities(self, mapping: EntityMapping[E], where: ColumnElement[bool]) -> list[E]:
        query = select(*columns_of(mapping)).where(where).order_by(mapping.table.c.id)
        async with transaction(self._engine) as connection:
            return [mapping.entity(*row) for row in await connection.execute(query)]


def _is_visible(account: ColumnElement[Any], visibility: Visibility) -> ColumnElement[bool]:
    """Whether an account has one of the installations that the caller may know of."""
    if visibility.installations is None:
        return true()
    return account.in_(
        select(account_of).where(
            any_id(github_installations.c.installation_id, visibility.installations)
        )
    )


def _is_readable(viewer: Viewer) -> ColumnElement[bool]:
    """Whether a user can read a repository: its own account's, what GitHub listed to the session,
    and the public ones of the organizations that it is a member of.
    """
    listed = select(func.unnest(session_repositories.c.repository_ids)).where(
        session_repositories.c.session_id == viewer.session_id
    )
    member_of = select(organization_memberships.c.organization_id).where(
        organization_memberships.c.user_id == viewer.user_id
    )
    return or_(
        repositories.c.organization_id == viewer.user_id,
        repositories.c.id.in_(listed),
        and_(not_(repositories.c.is_private), repositories.c.organization_id.in_(member_of)),
    )
