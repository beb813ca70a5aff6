"""Ingest's tables, of migrations 008, 009, 013 to 015, 030 to 039, 045 to 048, 067 and 069."""

from laurel_ingest.storage.tables.base import metadata
from laurel_ingest.storage.tables.decisions import installation_bots, signal_corrections
from laurel_ingest.storage.tables.facts import (
    author_claims,
    author_logins,
    claimed_signals,
    coverage_gaps,
    former_user_claims,
    repository_fact_links,
    repository_facts,
    repository_installations,
    synthetic_user_claims,
)
from laurel_ingest.storage.tables.runs import (
    github_budgets,
    ingest_log,
    ingest_run_repositories,
    ingest_run_requests,
    ingest_runs,
    repository_histories,
    repository_sync_state,
    sighted_things,
)
from laurel_ingest.storage.tables.signals import (
    installation_signal_states,
    scoring_notices,
    signal_changes,
    signal_keys,
    signal_moves,
    signal_withdrawals,
    signals,
    signals_partition_health,
)
from laurel_ingest.storage.tables.webhooks import (
    webhook_deliveries,
    webhook_failure_readings,
    webhook_redeliveries,
)

__all__ = [
    "author_claims",
    "author_logins",
    "claimed_signals",
    "coverage_gaps",
    "former_user_claims",
    "github_budgets",
    "ingest_log",
    "ingest_run_repositories",
    "ingest_run_requests",
    "ingest_runs",
    "installation_bots",
    "installation_signal_states",
    "metadata",
    "repository_fact_links",
    "repository_facts",
    "repository_histories",
    "repository_installations",
    "repository_sync_state",
    "scoring_notices",
    "sighted_things",
    "signal_changes",
    "signal_corrections",
    "signal_keys",
    "signal_moves",
    "signal_withdrawals",
    "signals",
    "signals_partition_health",
    "synthetic_user_claims",
    "webhook_deliveries",
    "webhook_failure_readings",
    "webhook_redeliveries",
]
