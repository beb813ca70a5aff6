"""What has to be done about installations, in all services, and who has to be told of them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    text,
)

from laurel_identity.storage.tables.base import (
    id_column,
    metadata,
    reference,
    stamp_column,
    text_column,
    time_column,
)

installation_works = Table(
    "installation_works",
    metadata,
    Column(
        "id",
        BigInteger,
        nullable=False,
        server_default=text("nextval('installation_works_id_seq'::regclass)"),
    ),
    id_column("account_id"),
    text_column("kind"),
    id_column("installation_id"),
    Column("repository_id", BigInteger, nullable=False, server_default=text("0")),
    id_column("into_installation_id", nullable=True),
    text_column("requested_by"),
    stamp_column("requested_at"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    time_column("next_attempt_at"),
    text_column("last_error", nullable=True),
    text_column("outcome", nullable=True),
    time_column("finished_at"),
    PrimaryKeyConstraint("id", name="pk_installation_works"),
    CheckConstraint("kind IN ('adopt', 'transfer', 'erase')", name="ck_installation_works_kind"),
    CheckConstraint(
        "(kind = 'transfer') = (repository_id <> 0)", name="ck_installation_works_repository"
    ),
    CheckConstraint("outcome IN ('done', 'moot')", name="ck_installation_works_outcome"),
    CheckConstraint(
        "(outcome IS NULL) = (finished_at IS NULL)", name="ck_installation_works_finished"
    ),
    CheckConstraint("attempts >= 0", name="ck_installation_works_attempts"),
)
Index(
    "uq_installation_works_open",
    installation_works.c.installation_id,
    installation_works.c.repository_id,
    installation_works.c.kind,
    unique=True,
    postgresql_where=installation_works.c.finished_at.is_(None),
)
Index(
    "idx_installation_works_account",
    installation_works.c.account_id,
    installation_works.c.id,
    postgresql_where=installation_works.c.finished_at.is_(None),
)

# Written by triggers.
roster_notices = Table(
    "roster_notices",
    metadata,
    Column(
        "id",
        BigInteger,
        nullable=False,
        server_default=text("nextval('roster_notices_id_seq'::regclass)"),
    ),
    id_column("installation_id"),
    PrimaryKeyConstraint("id", name="pk_roster_notices"),
    reference(
        "fk_roster_notices_installation", "installation_id", "github_installations.installation_id"
    ),
)
Index("idx_roster_notices_installation", roster_notices.c.installation_id)

# Whom operators say that synthetic people are: an audit log, and what ingest has to be told.
identity_claims = Table(
    "identity_claims",
    metadata,
    Column(
        "id",
        BigInteger,
        nullable=False,
        server_default=text("nextval('identity_claims_id_seq'::regclass)"),
    ),
    id_column("synthetic_user_id"),
    id_column("user_id"),
    Column("is_release", Boolean, nullable=False),
    text_column("requested_by"),
    time_column("requested_at", nullable=False),
    Column("moved_count", BigInteger, nullable=False, server_default=text("0")),
    text_column("last_error", nullable=True),
    time_column("finished_at"),
    PrimaryKeyConstraint("id", name="pk_identity_claims"),
    CheckConstraint(
        "synthetic_user_id < '-4611686018427387904'::bigint", name="ck_identity_claims_synthetic"
    ),
    CheckConstraint("user_id > 0", name="ck_identity_claims_user"),
    CheckConstraint("moved_count >= 0", name="ck_identity_claims_moved"),
)
Index("idx_identity_claims_synthetic", identity_claims.c.synthetic_user_id, identity_claims.c.id)
Index(
    "idx_identity_claims_open",
    identity_claims.c.id,
    postgresql_where=identity_claims.c.finished_at.is_(None),
)
