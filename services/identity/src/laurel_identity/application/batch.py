"""A batch of entities as one source saw them, and what writing it touches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from laurel_identity.application.ports import WriteScope
from laurel_identity.domain.entities import Organization, Relation, Repository, Team, User
from laurel_identity.domain.names import folded, synthetic_account_id
from laurel_identity.domain.owners import ImportedOwner

MAX_VIOLATIONS = 50
"""Faults that one answer names: its trailers have to fit 8 KiB."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a source saw, and when; `observed_at` None means now.

    `owners` are given an installation where they have none, `organizations` are not.
    `memberships` are (organization, user, role), `team_members` (team, user, role),
    `team_repositories` (team, repository, permission).
    """

    observed_at: datetime | None = None
    users: Sequence[User] = ()
    owners: Sequence[ImportedOwner] = ()
    organizations: Sequence[Organization] = ()
    repositories: Sequence[Repository] = ()
    teams: Sequence[Team] = ()
    memberships: Sequence[Relation] = ()
    team_members: Sequence[Relation] = ()
    team_repositories: Sequence[Relation] = ()


def scope_of(batch: Batch) -> WriteScope:
    """All that the batch names: what writing it reads or changes, but for present name holders."""
    teams = batch.team_members, batch.team_repositories
    return WriteScope(
        accounts=frozenset(
            {
                *(user.id for user in batch.users),
                *(owner.account_id for owner in batch.owners if owner.account_id),
                *(organization.id for organization in batch.organizations),
                *(synthetic_account_id(owner.login) for owner in batch.owners),
                *(each.organization_id for each in batch.repositories if each.organization_id),
                *(team.organization_id for team in batch.teams),
                *(side for relation in batch.memberships for side in relation.key),
                *(member.right for member in batch.team_members),
            }
        ),
        logins=frozenset(
            {
                *(user.name_key for user in batch.users if user.login),
                *(folded(owner.login) for owner in batch.owners),
                *(each.name_key for each in batch.organizations),
                *(folded(repository.owner_login) for repository in batch.repositories),
            }
        ),
        repositories=frozenset(
            {
                *(repository.id for repository in batch.repositories),
                *(relation.right for relation in batch.team_repositories),
            }
        ),
        full_names=frozenset(repository.name_key for repository in batch.repositories),
        teams=frozenset(
            {
                *(team.id for team in batch.teams),
                *(relation.left for relations in teams for relation in relations),
            }
        ),
        team_slugs=frozenset(team.name_key for team in batch.teams),
    )
