"""What people decided about signals."""

from sqlalchemy import BigInteger, Column, Table, Text

from laurel_ingest.storage.tables.base import metadata, time

installation_bots = Table(
    "installation_bots",
    metadata,
    Column("installation_id", BigInteger, primary_key=True),
    Column("user_id", BigInteger, primary_key=True),
    Column("added_by", Text, nullable=False),
    Column("created_at", time, nullable=False),
)

signal_corrections = Table(
    "signal_corrections",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("repository_id", BigInteger),
    Column("thing", Text),
    Column("user_id", BigInteger),
    Column("actor_kind", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("corrected_at", time, nullable=False),
)
