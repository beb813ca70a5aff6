"""The steps of an upsert inside its transaction, and what has to follow from them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from laurel_identity.application.ports import DirectoryWriter, EntityStore
from laurel_identity.domain.entities import (
    Entity,
    Kind,
    Organization,
    Relation,
    Repository,
    Team,
    User,
)
from laurel_identity.domain.names import folded, is_synthetic, synthetic_account_id
from laurel_identity.domain.owners import (
    AccountType,
    ImportedOwner,
    OwnerAccount,
    resolve_owners,
)
from laurel_identity.domain.planning import Plan, Stored, plan_relations, plan_upsert

E = TypeVar("E", bound=Entity)


class Upserting:
    """Takes in what was seen at one moment, step by step."""

    def __init__(self, writer: DirectoryWriter, observed_at: datetime) -> None:
        self._writer = writer
        self._observed_at = observed_at
        self._inserted: set[tuple[object, ...]] = set()
        self._updated: set[tuple[object, ...]] = set()
        # What settle_repositories has to look at, all at once in the end.
        self._moved_repositories: set[int] = set()
        self._moved_accounts: set[int] = set()

    @property
    def inserted_count(self) -> int:
        """Rows that were not there before."""
        return len(self._inserted)

    @property
    def updated_count(self) -> int:
        """Rows that were, and say something else now."""
        return len(self._updated - self._inserted)

    async def users(self, users: Sequence[User]) -> None:
        """Takes in users, and notes the private addresses of all ids and logins that are new."""
        if not users:
            return
        stored = await self._load(self._writer.users, users)
        await self._carry_out(Kind.USER, self._writer.users, stored, users)
        told = {(user.id, user.login) for user in users if user.login}
        noted = {(row.entity.id, row.entity.login) for row in stored}
        await self._writer.private_addresses.add(
            {pair for pair in told - noted if not is_synthetic(pair[0])}
        )

    async def owners(
        self, owners: Sequence[ImportedOwner], users: Sequence[User]
    ) -> list[OwnerAccount]:
        """Takes in accounts: those of the owners, in their order, and those of users (taken in
        before) that stand for one.
        """
        accounts = await self._resolve(owners)
        await self.users(
            [
                User(account.account_id, account.login, avatar_url=account.avatar_url)
                for account in accounts
                if account.is_named and account.account_type is AccountType.USER
            ]
        )
        ids = {user.id for user in users}
        mirrored = await self._writer.organizations.existing(ids) if ids else set()
        plan = await self._entities(
            Kind.ORGANIZATION,
            self._writer.organizations,
            [
                *(
                    Organization(user.id, user.login, user.name, user.avatar_url or None)
                    for user in users
                    if user.id in mirrored
                ),
                *(
                    Organization(each.account_id, each.login, avatar_url=each.avatar_url or None)
                    for each in accounts
                    if each.is_named
                ),
            ],
        )
        await self._merge(accounts)
        named = {organization.id for organization in plan.changed}
        if named:
            self._moved_repositories |= await self._writer.accounts.link_unowned(named)
        return accounts

    async def organizations(self, organizations: Sequence[Organization]) -> None:
        """Takes in organizations that are no tenants for that."""
        await self._entities(Kind.ORGANIZATION, self._writer.organizations, organizations)

    async def install(self, accounts: Collection[OwnerAccount]) -> Mapping[int, int]:
        """Gives each account the installation that it lacks; the installations' ids by account."""
        types = {account.account_id: account.account_type for account in accounts}
        if not types:
            return {}
        store = self._writer.accounts
        standing = await store.installations(types)
        lacking = {each: kind for each, kind in types.items() if each not in standing}
        if lacking:
            await store.install(lacking)
            self._moved_accounts |= set(lacking)
        retyped = {
            each.installation_id: types[account]
            for account, each in standing.items()
            if each.app_id == 0 and each.account_type is not types[account]
        }
        if retyped:
            await store.retype(retyped)
        ids = {account: each.installation_id for account, each in standing.items()}
        return ids | {account: -account for account in lacking}

    async def repositories(self, repositories: Sequence[Repository]) -> None:
        """Takes in repositories, with the accounts that their owners' logins mean where the
        source names none.
        """
        logins = {folded(each.owner_login) for each in repositories if each.organization_id is None}
        accounts = await self._writer.accounts.by_login(logins) if logins else {}
        owned = [
            each
            if each.organization_id is not None
            else replace(each, organization_id=accounts.get(folded(each.owner_login)))
            for each in repositories
        ]
        if not owned:
            return
        stored = await self._load(self._writer.repositories, owned)
        plan = await self._carry_out(Kind.REPOSITORY, self._writer.repositories, stored, owned)
        self._moved_repositories |= {repository.id for repository in plan.changed}
        if former := _former_accounts(stored, plan):
            await self._writer.installations.transferred(former)

    async def teams(self, teams: Sequence[Team]) -> None:
        """Takes in teams, but for those that were seen to be gone since."""
        if not teams:
            return
        gone = await self._writer.teams.vanished({team.id for team in teams})
        there = [
            each for each in teams if each.id not in gone or gone[each.id] <= self._observed_at
        ]
        await self._entities(Kind.TEAM, self._writer.teams, there)

    async def relations(
        self,
        kind: Kind,
        relations: Sequence[Relation],
        absent: Collection[tuple[int, int]] = (),
    ) -> None:
        """Takes in relations of one kind, and that those of the keys `absent` are none."""
        if not relations and not absent:
            return
        store = self._writer.relations(kind)
        stored = await store.load({relation.key for relation in relations} | set(absent))
        plan = plan_relations(stored, relations, self._observed_at, absent)
        await store.apply(plan, self._observed_at)
        self._inserted |= {(kind, *relation.key) for relation in plan.insert}
        self._updated |= {(kind, *relation.key) for relation in plan.revise}

    def moves(self, account_id: int) -> None:
        """Marks an account whose installation changed: `settle` looks at its repositories."""
        self._moved_accounts.add(account_id)

    async def settle(self) -> None:
        """Puts what moved into the installations where it belongs now."""
        if self._moved_repositories or self._moved_accounts:
            await self._writer.accounts.settle_repositories(
                self._moved_repositories, self._moved_accounts
            )

    async def _entities(self, kind: Kind, store: EntityStore[E], incoming: Sequence[E]) -> Plan[E]:
        if not incoming:
            return Plan()
        return await self._carry_out(kind, store, await self._load(store, incoming), incoming)

    async def _load(self, store: EntityStore[E], incoming: Sequence[E]) -> Sequence[Stored[E]]:
        return await store.load(
            {entity.id for entity in incoming},
            {entity.name_key for entity in incoming if entity.name_key},
        )

    async def _carry_out(
        self,
        kind: Kind,
        store: EntityStore[E],
        stored: Sequence[Stored[E]],
        incoming: Sequence[E],
    ) -> Plan[E]:
        plan = plan_upsert(stored, incoming, self._observed_at)
        await store.apply(plan, self._observed_at)
        self._inserted |= {(kind, entity.id) for entity in plan.insert}
        self._updated |= {(kind, entity_id) for entity_id in plan.updated_ids}
        return plan

    async def _resolve(self, owners: Sequence[ImportedOwner]) -> list[OwnerAccount]:
        if not owners:
            return []
        ids = {owner.account_id for owner in owners if owner.account_id}
        twins = {synthetic_account_id(owner.login) for owner in owners}
        known = await self._writer.accounts.known(
            ids | twins, {folded(owner.login) for owner in owners}
        )
        return resolve_owners(owners, known)

    async def _merge(self, accounts: Collection[OwnerAccount]) -> None:
        pairs = {
            account.synthetic_twin: account.account_id
            for account in accounts
            if account.synthetic_twin is not None
        }
        if pairs:
            await self._writer.accounts.merge(pairs)
            self._moved_accounts |= set(pairs.values())


def _former_accounts(
    stored: Sequence[Stored[Repository]], plan: Plan[Repository]
) -> dict[int, int]:
    """The accounts that repositories had which have others now, by repository id."""
    before = {row.entity.id: row.entity.organization_id for row in stored}
    return {
        repository.id: account_id
        for repository in plan.changed
        if (account_id := before.get(repository.id)) is not None
        and repository.organization_id not in (None, account_id)
    }
