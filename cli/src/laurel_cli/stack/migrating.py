"""Brings the database up to date, and sets the services' passwords."""

from collections.abc import Mapping

import psycopg

from laurel_cli.errors import CommandError
from laurel_common.migrations import (
    MigrationError,
    MigrationReport,
    MigrationsNotFoundError,
    migrate,
    set_role_passwords,
)

# The queue's tables come with a library and belong to scoring, which knows how they are made.
from laurel_scoring.storage.queue_schema import install_queue_schema


def migrate_database(
    admin_url: str, role_passwords: Mapping[str, str] | None = None
) -> MigrationReport:
    """Applies what is missing; raises CommandError that says what failed."""
    try:
        report = migrate(admin_url, after=[install_queue_schema])
        if role_passwords:
            set_role_passwords(admin_url, role_passwords)
    except (MigrationError, MigrationsNotFoundError, psycopg.Error) as error:
        raise CommandError(str(error).strip()) from error
    return report
