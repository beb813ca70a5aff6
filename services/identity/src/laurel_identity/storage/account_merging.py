"""Gives what a synthetic account has to the account that it turned out to be."""

from collections.abc import Mapping

from sqlalchemy import BigInteger, and_, case, cast, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_identity.storage.columns import Columns, unnested
from laurel_identity.storage.installation_queries import account_of
from laurel_identity.storage.left_behind import note_adoptions
from laurel_identity.storage.tables import folded_sql, merged_accounts, repositories, teams, users
from laurel_identity.storage.tables import github_installations as installations
from laurel_identity.storage.tables import organization_memberships as memberships

_PAIR: Columns = [("old", BigInteger()), ("new", BigInteger())]


async def merge_accounts(connection: AsyncConnection, pairs: Mapping[int, int]) -> None:
    """Moves repositories, teams, memberships and installations of the pairs' first accounts to
    their second ones, which have rows, and notes that it did.
    """
    pair = unnested("pair", _PAIR, sorted(pairs.items()))
    await connection.execute(
        update(repositories)
        .where(repositories.c.organization_id == pair.c.old)
        .values(organization_id=pair.c.new)
    )
    await _move_teams(connection, pairs)
    await _move_memberships(connection, pairs)
    await _move_installations(connection, pairs)
    await connection.execute(
        insert(merged_accounts)
        .from_select(["account_id", "into_account_id"], select(pair.c.old, pair.c.new))
        .on_conflict_do_nothing()
    )
    await note_adoptions(connection, set(pairs.values()))


async def _move_teams(connection: AsyncConnection, pairs: Mapping[int, int]) -> None:
    """A team whose slug the other account has in use moves under a tombstone."""
    pair = unnested("pair", _PAIR, sorted(pairs.items()))
    taken = teams.alias("taken")
    in_use = exists().where(
        and_(
            taken.c.organization_id == pair.c.new,
            folded_sql(taken.c.slug) == folded_sql(teams.c.slug),
        )
    )
    await connection.execute(
        update(teams)
        .where(teams.c.organization_id == pair.c.old)
        .values(
            organization_id=pair.c.new,
            slug=case((in_use, func.concat("~", teams.c.id)), else_=teams.c.slug),
        )
    )


async def _move_memberships(connection: AsyncConnection, pairs: Mapping[int, int]) -> None:
    """The synthetic owner's own membership becomes the real owner's, if that is a user."""
    pair = unnested("pair", _PAIR, sorted(pairs.items()))
    member = case((memberships.c.user_id == pair.c.old, pair.c.new), else_=memberships.c.user_id)
    moving = (
        select(pair.c.new, users.c.id, memberships.c.role)
        .select_from(pair)
        .join(memberships, memberships.c.organization_id == pair.c.old)
        .join(users, users.c.id == member)
    )
    await connection.execute(
        insert(memberships)
        .from_select(["organization_id", "user_id", "role"], moving)
        .on_conflict_do_nothing()
    )
    await connection.execute(delete(memberships).where(memberships.c.organization_id == pair.c.old))


async def _move_installations(connection: AsyncConnection, pairs: Mapping[int, int]) -> None:
    """An account that has an installation keeps it: the other's stays behind, to be adopted."""
    pair = unnested("pair", _PAIR, sorted(pairs.items()))
    other = installations.alias("other")
    has_one = exists().where(
        func.coalesce(other.c.organization_id, other.c.user_account_id) == pair.c.new
    )
    is_user = exists().where(users.c.id == pair.c.new)
    as_user = and_(installations.c.user_account_id.is_not(None), is_user)
    await connection.execute(
        update(installations)
        .where(account_of == pair.c.old, ~has_one)
        .values(
            organization_id=case((as_user, None), else_=pair.c.new),
            user_account_id=case((as_user, pair.c.new), else_=None),
            account_type=cast(
                case((as_user, "user"), else_="organization"), installations.c.account_type.type
            ),
        )
    )
