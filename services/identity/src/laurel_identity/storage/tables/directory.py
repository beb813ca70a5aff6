"""People, accounts, repositories, teams, and who belongs to what."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, UniqueConstraint, text

from laurel_identity.storage.tables.base import (
    flag_column,
    folded_sql,
    id_column,
    metadata,
    reference,
    stamp_column,
    team_privacy,
    text_column,
    time_column,
)

users = Table(
    "users",
    metadata,
    id_column("id"),
    text_column("login"),
    text_column("name", nullable=True),
    text_column("avatar_url"),
    flag_column("is_bot"),
    stamp_column("created_at"),
    stamp_column("updated_at"),
    PrimaryKeyConstraint("id", name="pk_users"),
    UniqueConstraint("login", name="idx_users_login"),
)
Index("idx_users_is_bot", users.c.id, postgresql_where=users.c.is_bot.is_(True))
Index("idx_users_login_folded", folded_sql(users.c.login), unique=True)

organizations = Table(
    "organizations",
    metadata,
    id_column("id"),
    text_column("login"),
    text_column("name", nullable=True),
    text_column("avatar_url", nullable=True),
    stamp_column("created_at"),
    stamp_column("updated_at"),
    PrimaryKeyConstraint("id", name="pk_organizations"),
    UniqueConstraint("login", name="idx_organizations_login"),
)
Index("idx_organizations_login_folded", folded_sql(organizations.c.login), unique=True)

repositories = Table(
    "repositories",
    metadata,
    id_column("id"),
    text_column("full_name"),
    text_column("name"),
    text_column("owner_login"),
    id_column("organization_id", nullable=True),
    flag_column("is_private"),
    flag_column("is_archived"),
    flag_column("is_fork"),
    text_column("default_branch", nullable=True),
    text_column("html_url", nullable=True),
    time_column("github_updated_at"),
    stamp_column("created_at"),
    stamp_column("updated_at"),
    PrimaryKeyConstraint("id", name="pk_repositories"),
    UniqueConstraint("full_name", name="idx_repositories_full_name"),
    reference("fk_repositories_organization", "organization_id", "organizations.id", "SET NULL"),
)
Index("idx_repositories_owner", repositories.c.owner_login)
Index(
    "idx_repositories_org",
    repositories.c.organization_id,
    postgresql_where=repositories.c.organization_id.is_not(None),
)
Index("idx_repositories_full_name_folded", folded_sql(repositories.c.full_name), unique=True)
Index(
    "idx_repositories_unowned",
    folded_sql(repositories.c.owner_login),
    postgresql_where=repositories.c.organization_id.is_(None),
)

teams = Table(
    "teams",
    metadata,
    id_column("id"),
    id_column("organization_id"),
    text_column("slug"),
    text_column("name"),
    text_column("description", nullable=True),
    Column("privacy", team_privacy, nullable=False, server_default=text("'closed'")),
    time_column("github_created_at"),
    time_column("github_updated_at"),
    stamp_column("created_at"),
    stamp_column("updated_at"),
    PrimaryKeyConstraint("id", name="pk_teams"),
    UniqueConstraint("organization_id", "slug", name="uq_teams_organization_slug"),
    reference("fk_teams_organization", "organization_id", "organizations.id"),
)
Index("idx_teams_organization_id", teams.c.organization_id, teams.c.id)
Index(
    "idx_teams_organization_slug_folded",
    teams.c.organization_id,
    folded_sql(teams.c.slug),
    unique=True,
)

organization_memberships = Table(
    "organization_memberships",
    metadata,
    id_column("user_id"),
    id_column("organization_id"),
    text_column("role", default="member"),
    stamp_column("created_at"),
    PrimaryKeyConstraint("user_id", "organization_id", name="pk_organization_memberships"),
    reference("fk_organization_memberships_user", "user_id", "users.id"),
    reference("fk_organization_memberships_organization", "organization_id", "organizations.id"),
)
Index("idx_organization_memberships_organization", organization_memberships.c.organization_id)

team_members = Table(
    "team_members",
    metadata,
    id_column("team_id"),
    id_column("user_id"),
    text_column("role", default="member"),
    stamp_column("created_at"),
    stamp_column("updated_at"),
    PrimaryKeyConstraint("team_id", "user_id", name="pk_team_members"),
    reference("fk_team_members_team", "team_id", "teams.id"),
    reference("fk_team_members_user", "user_id", "users.id"),
)
Index("idx_team_members_user", team_members.c.user_id)

team_repositories = Table(
    "team_repositories",
    metadata,
    id_column("team_id"),
    id_column("repository_id"),
    text_column("permission", default="push"),
    stamp_column("created_at"),
    stamp_column("updated_at"),
    PrimaryKeyConstraint("team_id", "repository_id", name="pk_team_repositories"),
    reference("fk_team_repositories_team", "team_id", "teams.id"),
    reference("fk_team_repositories_repository", "repository_id", "repositories.id"),
)
Index("idx_team_repositories_repository", team_repositories.c.repository_id)
