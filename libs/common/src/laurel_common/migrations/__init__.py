"""Brings a database to the schema of db/migrations, and says which schema a database has."""

from .files import MigrationsNotFoundError, expected_version, migration_names, migrations_directory
from .roles import set_role_passwords
from .runner import AfterMigrations, BaselineError, MigrationError, MigrationReport, migrate
from .versions import applied_migrations, current_version, missing_migrations, schema_version

__all__ = [
    "AfterMigrations",
    "BaselineError",
    "MigrationError",
    "MigrationReport",
    "MigrationsNotFoundError",
    "applied_migrations",
    "current_version",
    "expected_version",
    "migrate",
    "migration_names",
    "migrations_directory",
    "missing_migrations",
    "schema_version",
    "set_role_passwords",
]
