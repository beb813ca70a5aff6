"""What identity keeps beside the reference: when it heard of what, who turned out to be whom."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    text,
)

from laurel_identity.storage.tables.base import (
    id_column,
    metadata,
    reference,
    stamp_column,
    time_column,
)

entity_observations = Table(
    "entity_observations",
    metadata,
    Column("kind", SmallInteger, nullable=False),
    id_column("entity_id"),
    Column("related_id", BigInteger, autoincrement=False, nullable=False, server_default=text("0")),
    time_column("observed_at", nullable=False),
    PrimaryKeyConstraint("kind", "entity_id", "related_id", name="pk_entity_observations"),
    CheckConstraint("kind BETWEEN 1 AND 9", name="ck_entity_observations_kind"),
)

merged_accounts = Table(
    "merged_accounts",
    metadata,
    id_column("account_id"),
    id_column("into_account_id"),
    stamp_column("merged_at"),
    PrimaryKeyConstraint("account_id", name="pk_merged_accounts"),
    reference("fk_merged_accounts_into_account", "into_account_id", "organizations.id"),
    CheckConstraint("account_id <> into_account_id", name="ck_merged_accounts_distinct"),
)
Index("idx_merged_accounts_into_account", merged_accounts.c.into_account_id)

private_addresses = Table(
    "private_addresses",
    metadata,
    id_column("synthetic_id"),
    id_column("user_id"),
    PrimaryKeyConstraint("synthetic_id", "user_id", name="pk_private_addresses"),
)
