"""Identity's tables as the migrations make them: columns, keys and names alike."""

from laurel_identity.storage.tables.base import folded_sql, metadata
from laurel_identity.storage.tables.directory import (
    organization_memberships,
    organizations,
    repositories,
    team_members,
    team_repositories,
    teams,
    users,
)
from laurel_identity.storage.tables.installations import (
    github_installations,
    installation_repositories,
)
from laurel_identity.storage.tables.observations import (
    entity_observations,
    merged_accounts,
    private_addresses,
)
from laurel_identity.storage.tables.sessions import (
    auth_sessions,
    session_installations,
    session_leases,
    session_repositories,
)
from laurel_identity.storage.tables.works import (
    identity_claims,
    installation_works,
    roster_notices,
)

__all__ = [
    "auth_sessions",
    "entity_observations",
    "folded_sql",
    "github_installations",
    "identity_claims",
    "installation_repositories",
    "installation_works",
    "merged_accounts",
    "metadata",
    "organization_memberships",
    "organizations",
    "private_addresses",
    "repositories",
    "roster_notices",
    "session_installations",
    "session_leases",
    "session_repositories",
    "team_members",
    "team_repositories",
    "teams",
    "users",
]
