"""What sources told of repositories, whose they are, and who people turned out to be."""

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from laurel_ingest.storage.tables.base import metadata, time

repository_facts = Table(
    "repository_facts",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("standing", SmallInteger, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("updated_at", time, nullable=False),
)

repository_fact_links = Table(
    "repository_fact_links",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("target_kind", Text, primary_key=True),
    Column("target_key", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
)

repository_installations = Table(
    "repository_installations",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
)

synthetic_user_claims = Table(
    "synthetic_user_claims",
    metadata,
    Column("synthetic_id", BigInteger, primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("created_at", time, nullable=False),
)

former_user_claims = Table(
    "former_user_claims",
    metadata,
    Column("synthetic_id", BigInteger, primary_key=True),
    Column("user_id", BigInteger, primary_key=True),
    Column("claimed_at", time, nullable=False),
    Column("ended_at", time, primary_key=True),
)

author_claims = Table(
    "author_claims",
    metadata,
    Column("synthetic_id", BigInteger, primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("is_released", Boolean, nullable=False),
    Column("after_repository_id", BigInteger),
    Column("after_kind", Text),
    Column("after_key", Text),
    Column("moved_count", BigInteger, nullable=False),
    Column("begun_at", time, nullable=False),
    Column("finished_at", time),
)

claimed_signals = Table(
    "claimed_signals",
    metadata,
    Column("synthetic_id", BigInteger, primary_key=True),
    Column("content_hash", LargeBinary, primary_key=True),
)

author_logins = Table(
    "author_logins",
    metadata,
    Column("synthetic_id", BigInteger, primary_key=True),
    Column("login", Text, nullable=False),
)

coverage_gaps = Table(
    "coverage_gaps",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("last_at", time, nullable=False),
)
