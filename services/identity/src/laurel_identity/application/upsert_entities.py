"""The use case UpsertEntities: takes in what a source saw of people, accounts, repositories
and teams, all of it or nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from laurel_common.clock import Clock
from laurel_common.errors import InvalidRequest
from laurel_identity.application.batch import MAX_VIOLATIONS, Batch, scope_of
from laurel_identity.application.ports import Directory, DirectoryWriter
from laurel_identity.application.references import check_references, redirected
from laurel_identity.application.upserting import Upserting
from laurel_identity.domain.entities import Kind, Relation
from laurel_identity.domain.names import is_tombstone
from laurel_identity.domain.owners import AccountType


@dataclass(frozen=True, slots=True)
class UpsertedOwner:
    """What an imported owner stands for."""

    login: str
    account_id: int
    installation_id: int


@dataclass(frozen=True, slots=True)
class UpsertResult:
    """`owners` in the batch's order; rows that are new, and rows that say something else now."""

    owners: tuple[UpsertedOwner, ...]
    inserted_count: int
    updated_count: int


class UpsertEntities:
    """Raises InvalidRequest for tombstones as names, ReferenceMissing for what refers to nothing,
    ConcurrentChange, DatabaseUnavailable; nothing is written then. Idempotent.
    """

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock

    async def __call__(self, batch: Batch) -> UpsertResult:
        faults = list(_tombstones(batch))
        if faults:
            raise InvalidRequest.of(*faults[:MAX_VIOLATIONS])
        now = self._clock.now()
        # A source whose clock runs ahead must not keep others from being heard.
        observed_at = min(batch.observed_at or now, now)

        async def work(writer: DirectoryWriter) -> UpsertResult:
            return await _upsert(batch, writer, Upserting(writer, observed_at))

        return await self._directory.write(scope_of(batch), work)


async def _upsert(batch: Batch, writer: DirectoryWriter, upserting: Upserting) -> UpsertResult:
    """The order: what others refer to comes first, and every reference is checked before
    anything is written that could dangle."""
    await upserting.users(batch.users)
    accounts = await upserting.owners(batch.owners, batch.users)
    await upserting.organizations(batch.organizations)
    installations = await upserting.install(accounts)
    batch = await redirected(batch, writer.accounts)
    await check_references(batch, writer)
    await upserting.repositories(batch.repositories)
    await upserting.teams(batch.teams)
    admins = [
        Relation(account.account_id, account.account_id, "admin")
        for account in accounts
        if account.account_type is AccountType.USER
    ]
    await upserting.relations(Kind.MEMBERSHIP, [*batch.memberships, *admins])
    await upserting.relations(Kind.TEAM_MEMBER, batch.team_members)
    await upserting.relations(Kind.TEAM_REPOSITORY, batch.team_repositories)
    await upserting.settle()
    return UpsertResult(
        tuple(
            UpsertedOwner(owner.login, account.account_id, installations[account.account_id])
            for owner, account in zip(batch.owners, accounts, strict=True)
        ),
        upserting.inserted_count,
        upserting.updated_count,
    )


def _tombstones(batch: Batch) -> Iterator[tuple[str, str]]:
    named = (
        ("users", "login", [user.login for user in batch.users]),
        ("imported_owners", "login", [owner.login for owner in batch.owners]),
        ("repositories", "full_name", [repository.name for repository in batch.repositories]),
        ("teams", "slug", [team.slug for team in batch.teams]),
    )
    for field, column, names in named:
        for index, name in enumerate(names):
            if is_tombstone(name):
                yield f"{field}[{index}].{column}", "is a tombstone, which no source can tell"
