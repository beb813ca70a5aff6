"""Installations, and the repositories that each can see."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, PrimaryKeyConstraint, Table, text
from sqlalchemy.dialects.postgresql import JSONB

from laurel_identity.storage.tables.base import (
    account_type,
    id_column,
    metadata,
    reference,
    stamp_column,
    text_column,
    time_column,
)

github_installations = Table(
    "github_installations",
    metadata,
    id_column("installation_id"),
    id_column("app_id"),
    id_column("organization_id", nullable=True),
    id_column("user_account_id", nullable=True),
    Column("account_type", account_type, nullable=False, server_default=text("'organization'")),
    text_column("repository_selection", default="all"),
    Column("permissions", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("repository_count", Integer, nullable=False, server_default=text("0")),
    time_column("suspended_at"),
    text_column("suspended_by", nullable=True),
    time_column("gh_created_at"),
    time_column("gh_updated_at"),
    stamp_column("created_at"),
    stamp_column("updated_at"),
    PrimaryKeyConstraint("installation_id", name="pk_github_installations"),
    reference(
        "fk_github_installations_organization", "organization_id", "organizations.id", "RESTRICT"
    ),
    reference("fk_github_installations_user_account", "user_account_id", "users.id", "RESTRICT"),
    CheckConstraint(
        "num_nonnulls(organization_id, user_account_id) = 1",
        name="ck_github_installations_one_account",
    ),
    CheckConstraint(
        "repository_selection IN ('all', 'selected')",
        name="ck_github_installations_repository_selection",
    ),
    CheckConstraint("repository_count >= 0", name="ck_github_installations_repository_count"),
)
Index(
    "idx_github_installations_organization",
    github_installations.c.organization_id,
    postgresql_where=github_installations.c.organization_id.is_not(None),
)
Index(
    "idx_github_installations_user_account",
    github_installations.c.user_account_id,
    postgresql_where=github_installations.c.user_account_id.is_not(None),
)

installation_repositories = Table(
    "installation_repositories",
    metadata,
    id_column("installation_id"),
    id_column("repository_id"),
    stamp_column("created_at"),
    PrimaryKeyConstraint("installation_id", "repository_id", name="pk_installation_repositories"),
    reference(
        "fk_installation_repositories_installation",
        "installation_id",
        "github_installations.installation_id",
    ),
    reference("fk_installation_repositories_repository", "repository_id", "repositories.id"),
)
Index("idx_installation_repositories_repository", installation_repositories.c.repository_id)
