"""Ingest's lanes: each has its own worker and connections, so that none holds up another."""

from typing import Final

from laurel_common.jobs import Lane
from laurel_ingest.storage.job_schema import JOB_SCHEMA

WEBHOOKS: Final = Lane(JOB_SCHEMA, name="webhooks", task="work_deliveries", subject="subject")
INGEST_RUNS: Final = Lane(JOB_SCHEMA, name="ingest_runs", task="run_ingest", subject="run")
INGEST_REPOSITORIES: Final = Lane(
    JOB_SCHEMA, name="ingest_repositories", task="read_repository", subject="work"
)
INGEST_URGENT: Final = Lane(JOB_SCHEMA, name="ingest_urgent", task="read_urgently", subject="work")

_URGENT_PRIORITY: Final = 10
_RECONCILING_PRIORITY: Final = -10


def job_priority(*, is_reconciling: bool, is_urgent: bool) -> int:
    """What people ask for goes before what is done by itself, but for what can't wait."""
    if is_urgent:
        return _URGENT_PRIORITY
    return _RECONCILING_PRIORITY if is_reconciling else 0
