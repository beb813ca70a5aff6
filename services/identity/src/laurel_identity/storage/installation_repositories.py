"""Keeps repositories in the installation of their account, and the count of them true."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, and_, delete, exists, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_identity.domain.entities import Kind
from laurel_identity.storage.columns import any_id
from laurel_identity.storage.installation_queries import account_of, primary_installations
from laurel_identity.storage.tables import entity_observations as observed
from laurel_identity.storage.tables import github_installations as installations
from laurel_identity.storage.tables import installation_repositories as seen
from laurel_identity.storage.tables import repositories


async def settle_repositories(
    connection: AsyncConnection, repository_ids: Collection[int], accounts: Collection[int]
) -> None:
    """Moves these repositories, and all of these accounts, to where their account's is; see
    ports.AccountStore.
    """
    moved = select(repositories.c.id, repositories.c.organization_id).where(
        or_(
            any_id(repositories.c.id, repository_ids),
            any_id(repositories.c.organization_id, accounts),
        )
    )
    touched = await _leave(connection, moved) | await _join(connection, moved)
    if touched:
        await recount(connection, touched)


async def _leave(connection: AsyncConnection, moved: Select[Any]) -> set[int]:
    """Takes repositories out of installations of other accounts than theirs."""
    repository = moved.subquery("repository")
    left = await connection.scalars(
        delete(seen)
        .where(
            seen.c.repository_id == repository.c.id,
            seen.c.installation_id == installations.c.installation_id,
            account_of.is_distinct_from(repository.c.organization_id),
        )
        .returning(seen.c.installation_id)
    )
    return set(left)


async def _join(connection: AsyncConnection, moved: Select[Any]) -> set[int]:
    """Puts repositories into their account's installation, where it sees all of them: but for those
    that GitHub was seen not to give it, which are deleted there, and keep their rows here.
    """
    repository = moved.subquery("repository")
    primary = primary_installations(true()).subquery("primary_installation")
    lacking = (
        select(primary.c.installation_id, repository.c.id)
        .join(repository, repository.c.organization_id == primary.c.account_id)
        .where(
            primary.c.repository_selection == "all",
            ~exists().where(
                and_(
                    seen.c.installation_id == primary.c.installation_id,
                    seen.c.repository_id == repository.c.id,
                )
            ),
            ~exists().where(
                and_(
                    observed.c.kind == int(Kind.INSTALLATION_REPOSITORY),
                    observed.c.entity_id == primary.c.installation_id,
                    observed.c.related_id == repository.c.id,
                )
            ),
        )
        .order_by(primary.c.installation_id, repository.c.id)
    )
    joined = await connection.scalars(
        insert(seen)
        .from_select(["installation_id", "repository_id"], lacking)
        .on_conflict_do_nothing()
        .returning(seen.c.installation_id)
    )
    return set(joined)


async def recount(connection: AsyncConnection, touched: Collection[int]) -> None:
    """Makes repository_count of these installations true."""
    count = (
        select(func.count())
        .select_from(seen)
        .where(seen.c.installation_id == installations.c.installation_id)
        .scalar_subquery()
    )
    await connection.execute(
        update(installations)
        .where(any_id(installations.c.installation_id, touched))
        .values(repository_count=count)
    )
