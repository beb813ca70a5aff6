"""What a batch refers to: synthetic ids of accounts led on to the real ones, the rest checked."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from laurel_common.errors import ReferenceMissing, Violation
from laurel_identity.application.batch import MAX_VIOLATIONS, Batch
from laurel_identity.application.ports import AccountStore, DirectoryWriter
from laurel_identity.domain.entities import Relation
from laurel_identity.domain.names import is_synthetic


async def redirected(batch: Batch, accounts: AccountStore) -> Batch:
    """The batch with the accounts in place of the synthetic ones that turned out to be them."""
    named = {
        *(repository.organization_id or 0 for repository in batch.repositories),
        *(team.organization_id for team in batch.teams),
        *(membership.left for membership in batch.memberships),
    }
    synthetic = {account_id for account_id in named if is_synthetic(account_id)}
    merged = await accounts.merged(synthetic) if synthetic else {}
    if not merged:
        return batch
    return replace(
        batch,
        repositories=[
            replace(each, organization_id=merged.get(each.organization_id, each.organization_id))
            if each.organization_id is not None
            else each
            for each in batch.repositories
        ],
        teams=[
            replace(team, organization_id=merged.get(team.organization_id, team.organization_id))
            for team in batch.teams
        ],
        memberships=[
            Relation(merged.get(each.left, each.left), each.right, each.role)
            for each in batch.memberships
        ],
    )


async def check_references(batch: Batch, writer: DirectoryWriter) -> None:
    """Raises ReferenceMissing that names every field (50 at most) whose row is neither there nor
    in the batch. The batch's users and accounts have been written already.
    """
    organizations = list(_organization_references(batch))
    users = list(_named("memberships", "user_id", [each.right for each in batch.memberships]))
    users += _named("team_members", "user_id", [each.right for each in batch.team_members])
    repositories = list(
        _named("team_repositories", "repository_id", [r.right for r in batch.team_repositories])
    )
    teams = list(_named("team_members", "team_id", [each.left for each in batch.team_members]))
    teams += _named("team_repositories", "team_id", [r.left for r in batch.team_repositories])
    missing: list[str] = []
    for references, own, existing in (
        (organizations, frozenset[int](), writer.organizations.existing),
        (users, frozenset[int](), writer.users.existing),
        (repositories, {each.id for each in batch.repositories}, writer.repositories.existing),
        (teams, {team.id for team in batch.teams}, writer.teams.existing),
    ):
        wanted = {target for _, target in references} - own
        gone = wanted - await existing(wanted) if wanted else set()
        missing += [field for field, target in references if target in gone]
    if missing:
        raise _missing(missing)


def _organization_references(batch: Batch) -> Iterator[tuple[str, int]]:
    for index, repository in enumerate(batch.repositories):
        if repository.organization_id is not None:
            yield f"repositories[{index}].organization_id", repository.organization_id
    yield from _named("teams", "organization_id", [team.organization_id for team in batch.teams])
    yield from _named("memberships", "organization_id", [each.left for each in batch.memberships])


def _named(field: str, column: str, ids: Collection[int]) -> Iterator[tuple[str, int]]:
    for index, target in enumerate(ids):
        yield f"{field}[{index}].{column}", target


def _missing(fields: list[str]) -> ReferenceMissing:
    named = fields[:MAX_VIOLATIONS]
    more = f" and {len(fields) - 1} more" if len(fields) > 1 else ""
    return ReferenceMissing(
        f"{fields[0]}{more}: no such row",
        violations=[Violation(field, "refers to a row that is not there") for field in named],
        metadata={"fields": ",".join(named)},
    )
