"""Signals, their keys, what was taken back, and what each revision changed."""

from sqlalchemy import (
    CHAR,
    BigInteger,
    Column,
    Date,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from laurel_ingest.storage.tables.base import metadata, signal_type, time

signals = Table(
    "signals",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("type", signal_type, nullable=False),
    Column("value", Numeric(10, 4), nullable=False),
    Column("event_timestamp", time, primary_key=True),
    Column("content_hash", CHAR(64), nullable=False),
    Column("metadata", JSONB, nullable=False),
)

signal_keys = Table(
    "signal_keys",
    metadata,
    Column("content_hash", LargeBinary, primary_key=True),
    Column("user_id", BigInteger, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("signal_id", BigInteger, nullable=False),
    Column("event_timestamp", time, nullable=False),
    Column("standing", SmallInteger, nullable=False),
)

signal_withdrawals = Table(
    "signal_withdrawals",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("type", signal_type, nullable=False),
    Column("value", Numeric(10, 4), nullable=False),
    Column("event_timestamp", time, nullable=False),
    Column("content_hash", CHAR(64), nullable=False),
    Column("metadata", JSONB, nullable=False),
    Column("standing", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("withdrawn_by", Text),
    Column("withdrawn_at", time, nullable=False),
)

installation_signal_states = Table(
    "installation_signal_states",
    metadata,
    Column("installation_id", BigInteger, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("signal_count", BigInteger, nullable=False),
    Column("first_event_timestamp", time),
    Column("last_event_timestamp", time),
    Column("updated_at", time, nullable=False),
    Column("lineage", Uuid, nullable=False),
)

signal_changes = Table(
    "signal_changes",
    metadata,
    Column("installation_id", BigInteger, primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("signal_count", Integer, nullable=False),
    Column("first_signal_id", BigInteger),
    Column("last_signal_id", BigInteger),
    Column("first_event_timestamp", time),
    Column("last_event_timestamp", time),
    Column("rewritten_ids", ARRAY(BigInteger), nullable=False),
    Column("removed_hashes", ARRAY(LargeBinary), nullable=False),
    Column("removed_user_ids", ARRAY(BigInteger), nullable=False),
)

signal_moves = Table(
    "signal_moves",
    metadata,
    Column("from_installation_id", BigInteger, primary_key=True),
    Column("repository_id", BigInteger, primary_key=True),
    Column("into_installation_id", BigInteger, nullable=False),
    Column("first_event_timestamp", time),
    Column("last_event_timestamp", time),
    Column("begun_at", time, nullable=False),
    Column("finished_at", time),
)

signals_partition_health = Table(
    "signals_partition_health",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("event_month", Date, nullable=False),
    Column("hits", BigInteger, nullable=False),
    Column("first_event_timestamp", time, nullable=False),
    Column("last_event_timestamp", time, nullable=False),
    Column("recorded_at", time, nullable=False),
    Column("resolved_at", time),
)

scoring_notices = Table(
    "scoring_notices",
    metadata,
    Column("installation_id", BigInteger, primary_key=True),
    Column("changes", BigInteger, nullable=False),
)
