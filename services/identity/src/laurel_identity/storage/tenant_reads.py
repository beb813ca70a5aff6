"""Lookups within an installation."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, not_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db.transaction import transaction
from laurel_identity.domain.entities import Kind, Relation, Repository, Team
from laurel_identity.domain.installations import (
    NOTHING_HIDDEN,
    UNINSTALLED,
    Hidden,
    Installation,
    Visibility,
)
from laurel_identity.domain.owners import AccountType
from laurel_identity.storage.columns import any_id
from laurel_identity.storage.installation_queries import (
    account_of,
    is_of,
    primary_installations,
)
from laurel_identity.storage.mappings import (
    RELATIONS,
    REPOSITORIES,
    TEAMS,
    columns_of,
)
from laurel_identity.storage.tables import (
    folded_sql,
    installation_repositories,
    organizations,
    repositories,
    teams,
)
from laurel_identity.storage.tables import github_installations as installations

_INSTALLATIONS: Select[Any] = select(
    installations.c.installation_id,
    installations.c.app_id,
    organizations.c.id,
    organizations.c.login,
    installations.c.account_type,
    installations.c.repository_selection,
    installations.c.repository_count,
    installations.c.suspended_at,
    installations.c.created_at,
    installations.c.updated_at,
    installations.c.suspended_by,
).join(organizations, organizations.c.id == account_of)


class SqlTenantReader:
    """A TenantReader over PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def installation(self, installation_id: int) -> Installation | None:
        """One installation."""
        wanted = installations.c.installation_id == installation_id
        found = await self._installations(_INSTALLATIONS.where(wanted))
        return found[0] if found else None

    async def installation_of_login(self, login: str) -> Installation | None:
        """The installation of the account with this folded login."""
        found = await self._installations(
            _INSTALLATIONS.where(folded_sql(organizations.c.login) == login)
            .order_by(
                installations.c.app_id == 0,
                installations.c.suspended_at.is_not(None),
                installations.c.installation_id.desc(),
            )
            .limit(1)
        )
        return found[0] if found else None

    async def installed_on(self, account_id: int) -> int | None:
        """The App's own installation of an account."""
        own = primary_installations(
            and_(
                is_of([account_id]),
                installations.c.app_id != 0,
                installations.c.suspended_by.is_distinct_from(UNINSTALLED),
            )
        ).subquery("own")
        async with transaction(self._engine) as connection:
            found: int | None = await connection.scalar(select(own.c.installation_id))
        return found

    async def installed_after(self, after: int, limit: int) -> Sequence[int]:
        """At most `limit` of the App's own installations above an id, by id."""
        key = installations.c.installation_id
        own = (
            select(key)
            .where(
                key > after,
                installations.c.app_id != 0,
                installations.c.suspended_by.is_distinct_from(UNINSTALLED),
            )
            .order_by(key)
            .limit(limit)
        )
        async with transaction(self._engine) as connection:
            return list(await connection.scalars(own))

    async def installations(
        self, after: int | None, limit: int, visibility: Visibility
    ) -> Sequence[Installation]:
        """At most `limit` installations with ids above `after`."""
        key = installations.c.installation_id
        page = _INSTALLATIONS.order_by(key).limit(limit)
        if after is not None:
            page = page.where(key > after)
        if visibility.installations is not None:
            page = page.where(any_id(key, visibility.installations))
        return await self._installations(page)

    async def repositories(
        self,
        installation_id: int,
        after: int | None,
        limit: int,
        only: Collection[int],
        hidden: Hidden = NOTHING_HIDDEN,
    ) -> Sequence[Repository]:
        """At most `limit` repositories of the installation above `after`."""
        seen = installation_repositories
        page = _page(
            select(*columns_of(REPOSITORIES))
            .join(seen, seen.c.repository_id == repositories.c.id)
            .where(
                seen.c.installation_id == installation_id,
                *_shown_repositories(seen.c.repository_id, hidden),
            ),
            seen.c.repository_id,
            after,
            limit,
            only,
        )
        async with transaction(self._engine) as connection:
            return [REPOSITORIES.entity(*row) for row in await connection.execute(page)]

    async def teams(
        self,
        account_id: int,
        after: int | None,
        limit: int,
        only: Collection[int],
        hidden: Hidden = NOTHING_HIDDEN,
    ) -> Sequence[Team]:
        """At most `limit` teams of the account above `after`."""
        of_account = select(*columns_of(TEAMS)).where(
            teams.c.organization_id == account_id, *_shown_teams(hidden)
        )
        page = _page(of_account, teams.c.id, after, limit, only)
        async with transaction(self._engine) as connection:
            return [TEAMS.entity(*row) for row in await connection.execute(page)]

    async def team_relations(
        self,
        kind: Kind,
        account_id: int,
        team_id: int | None,
        after: tuple[int, int] | None,
        limit: int,
        *,
        hidden: Hidden = NOTHING_HIDDEN,
    ) -> Sequence[Relation]:
        """At most `limit` members or repositories of the account's teams above `after`."""
        mapping = RELATIONS[kind]
        left, right = mapping.table.c[mapping.left], mapping.table.c[mapping.right]
        page = (
            select(left, right, mapping.table.c[mapping.role])
            .join(teams, teams.c.id == left)
            .where(teams.c.organization_id == account_id, *_shown_teams(hidden))
            .order_by(left, right)
            .limit(limit)
        )
        if team_id is not None:
            page = page.where(left == team_id)
        if kind is Kind.TEAM_REPOSITORY:
            page = page.where(*_shown_repositories(right, hidden))
        if after is not None:
            page = page.where(tuple_(left, right) > tuple_(*after))
        async with transaction(self._engine) as connection:
            return [Relation(*row) for row in await connection.execute(page)]

    async def _installations(self, query: Select[Any]) -> list[Installation]:
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return [_installation(*row) for row in rows]


def _installation(
    installation_id: int, app_id: int, account_id: int, login: str, kind: str, *rest: Any
) -> Installation:
    return Installation(installation_id, app_id, account_id, login, AccountType(kind), *rest)


def _page(
    query: Select[Any],
    key: ColumnElement[int],
    after: int | None,
    limit: int,
    only: Collection[int],
) -> Select[Any]:
    """The rows of a query after a key, by key; `only` those with some keys, unless it is empty."""
    page = query.order_by(key).limit(limit)
    if after is not None:
        page = page.where(key > after)
    return page.where(any_id(key, only)) if only else page


def _shown_repositories(key: ColumnElement[int], hidden: Hidden) -> list[ColumnElement[bool]]:
    """What keeps hidden repositories out."""
    if hidden.repositories_only is not None:
        return [any_id(key, hidden.repositories_only)]
    return [not_(any_id(key, hidden.repositories))] if hidden.repositories else []


def _shown_teams(hidden: Hidden) -> list[ColumnElement[bool]]:
    """What keeps hidden teams out."""
    if hidden.every_team:
        return [false()]
    return [not_(any_id(teams.c.id, hidden.teams))] if hidden.teams else []
