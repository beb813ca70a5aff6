"""Sessions of signed-in users."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, PrimaryKeyConstraint, Table
from sqlalchemy.dialects.postgresql import ARRAY

from laurel_identity.storage.tables.base import (
    flag_column,
    id_column,
    metadata,
    reference,
    stamp_column,
    text_column,
    time_column,
)

auth_sessions = Table(
    "auth_sessions",
    metadata,
    text_column("id"),
    id_column("user_id"),
    text_column("github_token_encrypted"),
    text_column("github_token_iv"),
    text_column("github_token_tag"),
    text_column("github_token_type"),
    text_column("github_token_scope"),
    flag_column("tokens_encrypted", default=True),
    text_column("github_refresh_token_encrypted", nullable=True),
    text_column("github_refresh_token_iv", nullable=True),
    text_column("github_refresh_token_tag", nullable=True),
    time_column("github_refresh_token_expires_at"),
    time_column("github_access_token_expires_at"),
    stamp_column("created_at"),
    time_column("expires_at", nullable=False),
    stamp_column("updated_at"),
    PrimaryKeyConstraint("id", name="pk_auth_sessions"),
    reference("fk_auth_sessions_user", "user_id", "users.id"),
    CheckConstraint("id ~ '^[0-9a-f]{64}$'", name="ck_auth_sessions_id"),
    CheckConstraint(
        "num_nonnulls(github_refresh_token_encrypted, github_refresh_token_iv, "
        "github_refresh_token_tag) IN (0, 3)",
        name="ck_auth_sessions_refresh_token",
    ),
)
Index("idx_auth_sessions_user", auth_sessions.c.user_id)
Index("idx_auth_sessions_expires_at", auth_sessions.c.expires_at)

session_installations = Table(
    "session_installations",
    metadata,
    text_column("session_id"),
    id_column("installation_id"),
    stamp_column("created_at"),
    PrimaryKeyConstraint("session_id", "installation_id", name="pk_session_installations"),
    reference("fk_session_installations_session", "session_id", "auth_sessions.id"),
    reference(
        "fk_session_installations_installation",
        "installation_id",
        "github_installations.installation_id",
    ),
)
Index("idx_session_installations_installation", session_installations.c.installation_id)

session_repositories = Table(
    "session_repositories",
    metadata,
    text_column("session_id"),
    id_column("installation_id"),
    Column("repository_ids", ARRAY(BigInteger), nullable=False),
    time_column("read_at", nullable=False),
    PrimaryKeyConstraint("session_id", "installation_id", name="pk_session_repositories"),
    reference("fk_session_repositories_session", "session_id", "auth_sessions.id"),
    reference(
        "fk_session_repositories_installation",
        "installation_id",
        "github_installations.installation_id",
    ),
)
Index("idx_session_repositories_installation", session_repositories.c.installation_id)

session_leases = Table(
    "session_leases",
    metadata,
    text_column("session_id"),
    time_column("leased_until", nullable=False),
    PrimaryKeyConstraint("session_id", name="pk_session_leases"),
    reference("fk_session_leases_session", "session_id", "auth_sessions.id"),
)
