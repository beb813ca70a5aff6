"""Runs over GitHub's history, and what they know of each repository."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from laurel_ingest.storage.tables.base import metadata, time

ingest_runs = Table(
    "ingest_runs",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("organization_id", BigInteger, nullable=False),
    Column("team_id", BigInteger),
    Column("repository_id", BigInteger),
    Column("state", Text, nullable=False),
    Column("preset", Text, nullable=False),
    Column("history_since", time),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", time, nullable=False),
    Column("started_at", time),
    Column("finished_at", time),
    Column("is_planned", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("new_count", BigInteger, nullable=False),
    Column("changed_count", BigInteger, nullable=False),
    Column("duplicate_count", BigInteger, nullable=False),
    Column("withdrawn_count", BigInteger, nullable=False),
    Column("request_count", BigInteger, nullable=False),
    Column("point_count", BigInteger, nullable=False),
    Column("waiting_until", time),
    Column("error_reason", Text),
    Column("is_reconciling", Boolean, nullable=False),
    Column("is_urgent", Boolean, nullable=False),
)

ingest_run_requests = Table(
    "ingest_run_requests",
    metadata,
    Column("installation_id", BigInteger, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("created_at", time, nullable=False),
)

ingest_run_repositories = Table(
    "ingest_run_repositories",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("full_name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("probed", JSONB),
    Column("progress", JSONB),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("trouble", Text),
    Column("finished_at", time),
    Column("is_looked_through", Boolean, nullable=False),
    Column("is_watched", Boolean, nullable=False),
    Column("is_only_watched", Boolean, nullable=False),
)

ingest_log = Table(
    "ingest_log",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("organization_id", BigInteger, nullable=False),
    Column("team_id", BigInteger),
    Column("repository_id", BigInteger),
    Column("last_successful_ingest_at", time, nullable=False),
    Column("ingest_preset", Text, nullable=False),
    Column("repo_count", Integer, nullable=False),
    Column("signal_count", Integer, nullable=False),
)

repository_histories = Table(
    "repository_histories",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("head_sha", Text),
    Column("walked_at", time),
    Column("pulls_until", time),
    Column("issues_until", time),
    Column("commits_total", BigInteger),
    Column("pulls_total", BigInteger),
    Column("issues_total", BigInteger),
    Column("gap", Text),
    Column("checked_at", time, nullable=False),
    Column("commits_known", BigInteger),
    Column("pulls_known", BigInteger),
    Column("issues_known", BigInteger),
    Column("looked_through_at", time),
    Column("etags_given_to", Text),
    Column("etags_at", time),
)

sighted_things = Table(
    "sighted_things",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("sighted_at", BigInteger, nullable=False),
)

repository_sync_state = Table(
    "repository_sync_state",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("organization_id", BigInteger, nullable=False),
    Column("repo_updated_at", time),
    Column("commits_etag", Text),
    Column("pulls_etag", Text),
    Column("issues_etag", Text),
    Column("comments_etag", Text),
    Column("reviews_etag", Text),
    Column("pr_ids_hash", Text),
    Column("last_fetched_at", time, nullable=False),
)

github_budgets = Table(
    "github_budgets",
    metadata,
    Column("installation_id", BigInteger, primary_key=True),
    Column("point_limit", Integer),
    Column("remaining", Integer),
    Column("reset_at", time),
    Column("blocked_until", time),
)
