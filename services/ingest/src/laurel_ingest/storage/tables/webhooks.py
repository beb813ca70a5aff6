"""Webhooks that came, and those that GitHub could not deliver."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from laurel_ingest.storage.tables.base import metadata, time

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("delivery_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("action", Text),
    Column("installation_id", BigInteger),
    Column("subject_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("received_at", time, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", time, nullable=False),
    Column("finished_at", time),
    Column("last_error", Text),
    Column("left_out", JSONB, nullable=False),
    Column("body", LargeBinary),
    Column("body_bytes", Integer, nullable=False),
)

webhook_redeliveries = Table(
    "webhook_redeliveries",
    metadata,
    Column("delivery_id", Text, primary_key=True),
    Column("attempt_id", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("failed_at", time, nullable=False),
    Column("asked_count", Integer, nullable=False),
    Column("asked_at", time),
    Column("installation_id", BigInteger),
    Column("repository_id", BigInteger),
)

webhook_failure_readings = Table(
    "webhook_failure_readings",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("read_until", time, nullable=False),
)
