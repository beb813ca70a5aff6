"""The App's installations as GitHub has them, and the repositories that they were given."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import BigInteger, and_, delete, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_identity.domain.entities import Kind, Relation
from laurel_identity.domain.github import AppInstallation
from laurel_identity.domain.installations import UNINSTALLED
from laurel_identity.domain.owners import AccountType
from laurel_identity.domain.planning import StoredRelation, plan_relations
from laurel_identity.storage.columns import Columns, any_id, unnested
from laurel_identity.storage.installation_queries import account_of
from laurel_identity.storage.installation_repositories import recount
from laurel_identity.storage.left_behind import note_adoptions, note_transfers
from laurel_identity.storage.observations import record_observations
from laurel_identity.storage.tables import entity_observations as observed
from laurel_identity.storage.tables import github_installations as installations
from laurel_identity.storage.tables import installation_repositories as given
from laurel_identity.storage.tables import repositories

_ID: Columns = [("id", BigInteger())]
_GIVEN = "given"


class SqlInstallationStore:
    """An InstallationStore over PostgreSQL, within a transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, installation: AppInstallation, observed_at: datetime) -> bool:
        """Writes the row, unless something newer is known."""
        if await self._is_known_since(installation.installation_id, observed_at):
            return False
        account, is_user = installation.account, _is_user(installation)
        values = {
            "app_id": installation.app_id,
            "organization_id": None if is_user else account.id,
            "user_account_id": account.id if is_user else None,
            "account_type": account.account_type.value,
            "repository_selection": installation.repository_selection,
            "permissions": dict(installation.permissions),
            "suspended_at": installation.suspended_at,
            "suspended_by": installation.suspended_by,
            "gh_created_at": installation.created_at,
            "gh_updated_at": installation.updated_at,
        }
        key = {"installation_id": installation.installation_id}
        await self._connection.execute(
            insert(installations)
            .values(key | values)
            .on_conflict_do_update(index_elements=list(key), set_=values)
        )
        await self._observe(installation.installation_id, observed_at)
        await note_adoptions(self._connection, [account.id])
        return True

    async def uninstall(self, installation_id: int, observed_at: datetime) -> bool:
        """Suspends what GitHub has no more; imported ones are none of GitHub's."""
        if await self._is_known_since(installation_id, observed_at):
            return False
        changed = await self._connection.scalars(
            update(installations)
            .where(
                installations.c.installation_id == installation_id,
                installations.c.app_id != 0,
                installations.c.suspended_by.is_distinct_from(UNINSTALLED),
            )
            .values(suspended_at=observed_at, suspended_by=UNINSTALLED)
            .returning(account_of)
        )
        await self._observe(installation_id, observed_at)
        account_id = changed.first()
        if account_id is None:
            return False
        # The one that it was installed as again may be known already.
        await note_adoptions(self._connection, [account_id])
        return True

    async def transferred(self, former: Mapping[int, int]) -> None:
        """Notes that signals have to follow repositories to their accounts' installations."""
        await note_transfers(self._connection, former)

    async def give(
        self,
        installation_id: int,
        present: Collection[int],
        absent: Collection[int],
        observed_at: datetime,
        *,
        is_complete: bool,
    ) -> None:
        """Writes which repositories the installation has and has not."""
        standing = await self._given(installation_id)
        gone = set(absent) | (standing - set(present) if is_complete else set())
        own = await self._of_account(installation_id, present)
        stored = await self._stored(installation_id, standing, {*own, *gone})
        plan = plan_relations(
            stored,
            [Relation(installation_id, each, _GIVEN) for each in sorted(own)],
            observed_at,
            sorted((installation_id, each) for each in gone),
        )
        if plan.insert:
            new = unnested("new", _ID, [(each.right,) for each in plan.insert])
            await self._connection.execute(
                insert(given)
                .from_select(
                    ["installation_id", "repository_id"],
                    select(literal(installation_id, BigInteger), new.c.id),
                )
                .on_conflict_do_nothing()
            )
        if plan.remove:
            await self._connection.execute(
                delete(given).where(
                    given.c.installation_id == installation_id,
                    any_id(given.c.repository_id, {right for _, right in plan.remove}),
                )
            )
        kind = Kind.INSTALLATION_REPOSITORY
        await record_observations(self._connection, kind, plan.observed, observed_at)
        await recount(self._connection, {installation_id})

    async def _given(self, installation_id: int) -> set[int]:
        rows = await self._connection.scalars(
            select(given.c.repository_id).where(given.c.installation_id == installation_id)
        )
        return set(rows)

    async def _of_account(self, installation_id: int, ids: Collection[int]) -> set[int]:
        """Those of the repositories that belong to the installation's account, as far as known:
        one that was transferred since has another.
        """
        rows = await self._connection.scalars(
            select(repositories.c.id)
            .join(installations, account_of == repositories.c.organization_id)
            .where(
                installations.c.installation_id == installation_id, any_id(repositories.c.id, ids)
            )
        )
        return set(rows)

    async def _stored(
        self, installation_id: int, standing: Collection[int], ids: Collection[int]
    ) -> list[StoredRelation]:
        rows = await self._connection.execute(
            select(observed.c.related_id, observed.c.observed_at).where(
                observed.c.kind == int(Kind.INSTALLATION_REPOSITORY),
                observed.c.entity_id == installation_id,
                any_id(observed.c.related_id, ids),
            )
        )
        seen = {row[0]: row[1] for row in rows}
        return [
            StoredRelation(
                Relation(installation_id, each, _GIVEN), seen.get(each), each in standing
            )
            for each in sorted({*standing, *seen})
        ]

    async def _is_known_since(self, installation_id: int, moment: datetime) -> bool:
        newer = await self._connection.scalar(
            select(observed.c.observed_at).where(
                and_(
                    observed.c.kind == int(Kind.INSTALLATION),
                    observed.c.entity_id == installation_id,
                    observed.c.related_id == 0,
                    observed.c.observed_at > moment,
                )
            )
        )
        return newer is not None

    async def _observe(self, installation_id: int, observed_at: datetime) -> None:
        keys = [(installation_id, 0)]
        await record_observations(self._connection, Kind.INSTALLATION, keys, observed_at)


def _is_user(installation: AppInstallation) -> bool:
    return installation.account.account_type is AccountType.USER
