"""Ingest's tables as migrations 008, 009, 013 to 015, 030 to 039 and 067 make them."""

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, ENUM, JSONB

metadata = MetaData()
_time = DateTime(timezone=True)

signal_type = ENUM(
    *("commit", "pr_open", "pr_merge", "pr_close_no_merge", "issue_open", "issue_close"),
    *("review", "review_comment", "comment", "spam"),
    name="signal_type",
    create_type=False,
)

signals = Table(
    "signals",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("type", signal_type, nullable=False),
    Column("value", Numeric(10, 4), nullable=False),
    Column("event_timestamp", _time, primary_key=True),
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
    Column("event_timestamp", _time, nullable=False),
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
    Column("event_timestamp", _time, nullable=False),
    Column("content_hash", CHAR(64), nullable=False),
    Column("metadata", JSONB, nullable=False),
    Column("standing", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("withdrawn_by", Text),
    Column("withdrawn_at", _time, nullable=False),
)

repository_facts = Table(
    "repository_facts",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("standing", SmallInteger, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("updated_at", _time, nullable=False),
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
    Column("created_at", _time, nullable=False),
)

author_logins = Table(
    "author_logins",
    metadata,
    *(Column("synthetic_id", BigInteger, primary_key=True), Column("login", Text, nullable=False)),
)

installation_signal_states = Table(
    "installation_signal_states",
    metadata,
    Column("installation_id", BigInteger, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("signal_count", BigInteger, nullable=False),
    *(Column("first_event_timestamp", _time), Column("last_event_timestamp", _time)),
    Column("updated_at", _time, nullable=False),
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
    *(Column("first_event_timestamp", _time), Column("last_event_timestamp", _time)),
    Column("rewritten_ids", ARRAY(BigInteger), nullable=False),
    Column("removed_hashes", ARRAY(LargeBinary), nullable=False),
    Column("removed_user_ids", ARRAY(BigInteger), nullable=False),
)

installation_bots = Table(
    "installation_bots",
    metadata,
    Column("installation_id", BigInteger, primary_key=True),
    Column("user_id", BigInteger, primary_key=True),
    Column("added_by", Text, nullable=False),
    Column("created_at", _time, nullable=False),
)

signals_partition_health = Table(
    "signals_partition_health",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("event_month", Date, nullable=False),
    Column("hits", BigInteger, nullable=False),
    Column("first_event_timestamp", _time, nullable=False),
    Column("last_event_timestamp", _time, nullable=False),
    Column("recorded_at", _time, nullable=False),
    Column("resolved_at", _time),
)

ingest_log = Table(
    "ingest_log",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("organization_id", BigInteger, nullable=False),
    Column("team_id", BigInteger),
    Column("repository_id", BigInteger),
    Column("last_successful_ingest_at", _time, nullable=False),
    Column("ingest_preset", Text, nullable=False),
    Column("repo_count", Integer, nullable=False),
    Column("signal_count", Integer, nullable=False),
)

repository_sync_state = Table(
    "repository_sync_state",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("organization_id", BigInteger, nullable=False),
    Column("repo_updated_at", _time),
    *(Column("commits_etag", Text), Column("pulls_etag", Text), Column("issues_etag", Text)),
    *(Column("comments_etag", Text), Column("reviews_etag", Text)),
    Column("pr_ids_hash", Text),
    Column("last_fetched_at", _time, nullable=False),
)

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
    Column("received_at", _time, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", _time, nullable=False),
    Column("finished_at", _time),
    Column("last_error", Text),
    Column("left_out", JSONB, nullable=False),
    Column("body", LargeBinary),
    Column("body_bytes", Integer, nullable=False),
)

scoring_notices = Table(
    "scoring_notices",
    metadata,
    Column("installation_id", BigInteger, primary_key=True),
    Column("changes", BigInteger, nullable=False),
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
    Column("corrected_at", _time, nullable=False),
)

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
    Column("history_since", _time),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", _time, nullable=False),
    Column("started_at", _time),
    Column("finished_at", _time),
    Column("is_planned", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("new_count", BigInteger, nullable=False),
    Column("changed_count", BigInteger, nullable=False),
    Column("duplicate_count", BigInteger, nullable=False),
    Column("withdrawn_count", BigInteger, nullable=False),
    Column("request_count", BigInteger, nullable=False),
    Column("point_count", BigInteger, nullable=False),
    Column("waiting_until", _time),
    Column("error_reason", Text),
    Column("is_reconciling", Boolean, nullable=False),
)

ingest_run_requests = Table(
    "ingest_run_requests",
    metadata,
    Column("installation_id", BigInteger, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("created_at", _time, nullable=False),
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
    Column("finished_at", _time),
)

repository_histories = Table(
    "repository_histories",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("head_sha", Text),
    Column("walked_at", _time),
    Column("pulls_until", _time),
    Column("issues_until", _time),
    Column("commits_total", BigInteger),
    Column("pulls_total", BigInteger),
    Column("issues_total", BigInteger),
    Column("gap", Text),
    Column("checked_at", _time, nullable=False),
    Column("commits_known", BigInteger),
    Column("pulls_known", BigInteger),
    Column("issues_known", BigInteger),
)

coverage_gaps = Table(
    "coverage_gaps",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("last_at", _time, nullable=False),
)

github_budgets = Table(
    "github_budgets",
    metadata,
    Column("installation_id", BigInteger, primary_key=True),
    Column("point_limit", Integer),
    Column("remaining", Integer),
    Column("reset_at", _time),
    Column("blocked_until", _time),
)

webhook_redeliveries = Table(
    "webhook_redeliveries",
    metadata,
    Column("delivery_id", Text, primary_key=True),
    Column("attempt_id", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("failed_at", _time, nullable=False),
    Column("asked_count", Integer, nullable=False),
    Column("asked_at", _time),
)

webhook_failure_readings = Table(
    "webhook_failure_readings",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("read_until", _time, nullable=False),
)

signal_moves = Table(
    "signal_moves",
    metadata,
    Column("from_installation_id", BigInteger, primary_key=True),
    Column("repository_id", BigInteger, primary_key=True),
    Column("into_installation_id", BigInteger, nullable=False),
    *(Column("first_event_timestamp", _time), Column("last_event_timestamp", _time)),
    Column("begun_at", _time, nullable=False),
    Column("finished_at", _time),
)
