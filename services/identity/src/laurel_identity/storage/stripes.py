"""Advisory locks that make writes of overlapping scope wait for one another from the start.

docs/adr/0052 gives the reasons. A lock per id would overflow the server's lock table on a large
batch; so names share a fixed number of stripes, and so do ids. All stripes of names are taken
before any of ids, and each in ascending order.
"""

from collections.abc import Collection, Hashable, Iterable
from zlib import crc32

from sqlalchemy import Integer, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_identity.application.ports import WriteScope
from laurel_identity.domain.entities import Kind

STRIPES = 128
# The first halves of the locks' keys, which keep other advisory locks of the database apart.
NAME_LOCKS = 0x1DE1
ID_LOCKS = 0x1DE2


def stripe(what: str, key: Hashable) -> int:
    """The stripe of one id or name."""
    return crc32(f"{what}\0{key}".encode()) % STRIPES


def id_stripe(kind: Kind, entity_id: int) -> int:
    """The stripe of an entity; a user and the organization of the same id are one account."""
    accounts = (Kind.USER, Kind.ORGANIZATION)
    return stripe("account" if kind in accounts else kind.name, entity_id)


def name_stripes(scope: WriteScope) -> set[int]:
    """The stripes of the scope's names."""
    return {
        *_all("login", scope.logins),
        *_all("full_name", scope.full_names),
        *_all("team_slug", scope.team_slugs),
    }


def id_stripes(scope: WriteScope) -> set[int]:
    """The stripes of the scope's ids."""
    return {
        *_all("account", scope.accounts),
        *_all(Kind.REPOSITORY.name, scope.repositories),
        *_all(Kind.TEAM.name, scope.teams),
    }


async def lock_stripes(
    connection: AsyncConnection, lock_class: int, stripes: Collection[int]
) -> None:
    """Takes the stripes until the transaction ends; waits for whoever holds one of them."""
    if not stripes:
        return
    wanted = (
        select(func.unnest(literal(sorted(stripes), ARRAY(Integer))).label("stripe"))
        .order_by("stripe")
        .subquery("wanted")
    )
    lock = func.pg_advisory_xact_lock(lock_class, wanted.c.stripe)
    await connection.execute(select(lock).select_from(wanted))


def _all(what: str, keys: Iterable[Hashable]) -> Iterable[int]:
    return (stripe(what, key) for key in keys)
