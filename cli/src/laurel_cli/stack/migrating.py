"""Brings the database up to date, and sets the services' passwords."""

from collections.abc import Mapping
from typing import Final

import psycopg

from laurel_cli.errors import CommandError, UsageError
from laurel_common.migrations import (
    BaselineError,
    MigrationError,
    MigrationReport,
    MigrationsNotFoundError,
    migrate,
    set_role_passwords,
)
from laurel_identity.storage.lanes import JOB_SCHEMA as IDENTITY_JOBS
from laurel_ingest.storage.job_schema import JOB_SCHEMA as INGEST_JOBS
from laurel_scoring.storage.queue import JOB_SCHEMA as SCORING_JOBS

# The queues' tables come with a library, which knows how they are made.
AFTER_MIGRATIONS: Final = (
    IDENTITY_JOBS.install,
    INGEST_JOBS.install,
    SCORING_JOBS.install,
)


def migrate_database(
    admin_url: str,
    role_passwords: Mapping[str, str] | None = None,
    *,
    baseline: str | None = None,
) -> MigrationReport:
    """Applies what is missing after `baseline`; raises CommandError that says what failed."""
    try:
        report = migrate(admin_url, after=AFTER_MIGRATIONS, baseline=baseline)
        if role_passwords:
            set_role_passwords(admin_url, role_passwords)
    except BaselineError as error:
        raise UsageError(str(error)) from error
    except (MigrationError, MigrationsNotFoundError, psycopg.Error) as error:
        raise CommandError(str(error).strip()) from error
    return report
