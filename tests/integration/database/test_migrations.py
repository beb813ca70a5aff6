"""The migration runner: whole files, once each, however often and by however many it is run."""

import os
import re
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from laurel_cli.stack.migrating import AFTER_MIGRATIONS
from laurel_common.migrations import (
    BaselineError,
    MigrationError,
    MigrationReport,
    MigrationsNotFoundError,
    current_version,
    expected_version,
    migrate,
    migration_names,
    migrations_directory,
    missing_migrations,
    schema_version,
    set_role_passwords,
)
from laurel_embedded import EmbeddedPostgres
from laurel_embedded.binaries import postgres_binary
from tests.support.database import Database
from tests.support.urls import with_login
from tests.support.waiting import eventually

REFERENCE = [
    "001_enums_and_utilities",
    "002_users_and_organizations",
    "003_repositories_and_teams",
    "004_relationships",
    "005_github_installations",
    "006_auth_sessions",
    "007_scoring_presets",
    "008_signals",
    "009_sync_state",
    "010_leaderboard_materializations",
    "011_computed_scores",
]


def test_the_first_eleven_files_are_the_references() -> None:
    assert migration_names()[: len(REFERENCE)] == REFERENCE


def test_no_two_files_share_a_number() -> None:
    numbers = [name[:3] for name in migration_names()]
    assert sorted(set(numbers)) == numbers


def test_no_file_controls_the_transaction_that_it_runs_in() -> None:
    statement = re.compile(r"^\s*(BEGIN|COMMIT|ROLLBACK)\s*;", re.IGNORECASE | re.MULTILINE)
    files = sorted(migrations_directory().glob("*.sql"))
    assert [file.name for file in files if statement.search(file.read_text())] == []


def test_a_second_run_changes_nothing(empty_database: Database) -> None:
    first = migrate(empty_database.url(), after=AFTER_MIGRATIONS)
    before = _catalog(empty_database)
    second = migrate(empty_database.url(), after=AFTER_MIGRATIONS)

    assert list(first.applied) == migration_names()
    assert second == MigrationReport(applied=(), version=expected_version())
    assert _catalog(empty_database) == before


def test_two_runs_at_once_apply_each_file_once(empty_database: Database) -> None:
    def run(_: int) -> MigrationReport:
        return migrate(empty_database.url(), after=AFTER_MIGRATIONS)

    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(run, range(3)))

    assert sorted(len(report.applied) for report in reports) == [0, 0, len(migration_names())]
    assert {report.version for report in reports} == {expected_version()}


def test_two_databases_of_a_new_cluster_share_the_roles_that_both_make(tmp_path: Path) -> None:
    """Roles belong to the cluster, migration locks to a database."""
    settings = {"shared_buffers": "16MB", "max_connections": "20"}
    server = EmbeddedPostgres(
        tmp_path / "postgres", durable=False, die_with_parent=True, settings=settings
    )
    with server:
        names = ["one", "two", "three"]
        with psycopg.connect(server.url(), autocommit=True) as admin:
            for name in names:
                admin.execute(f"CREATE DATABASE {name}")
        with ThreadPoolExecutor(len(names)) as pool:
            reports = list(pool.map(lambda name: migrate(server.url(database=name)), names))

    assert [list(report.applied) for report in reports] == [migration_names()] * len(names)


def test_psql_makes_the_same_schema(empty_database: Database, database: Database) -> None:
    psql = shutil.which("psql") or str(postgres_binary("psql"))
    for file in sorted(migrations_directory().glob("*.sql")):
        subprocess.run(
            [psql, empty_database.url(), "-q", "-v", "ON_ERROR_STOP=1", "-f", str(file)],
            check=True,
            capture_output=True,
            env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"},
        )

    assert _catalog(empty_database) == _catalog(database)

    # `laurel migrate` takes such a database over where it is told how far psql came.
    newest = expected_version()
    with pytest.raises(MigrationError, match="already exists"):
        migrate(empty_database.url())
    with pytest.raises(BaselineError, match="no migration '999_future'"):
        migrate(empty_database.url(), baseline="999_future")
    assert migrate(empty_database.url(), baseline=newest) == MigrationReport((), newest)
    with pytest.raises(BaselineError, match=f"it is at {newest}"):
        migrate(empty_database.url(), baseline=newest)
    assert _catalog(empty_database) == _catalog(database)


def test_what_comes_after_the_baseline_is_applied(empty_database: Database, tmp_path: Path) -> None:
    (tmp_path / "001_by_hand.sql").write_text("SELECT 1 / 0;")
    (tmp_path / "002_next.sql").write_text("CREATE TABLE next (id integer);")
    report = migrate(empty_database.url(), tmp_path, baseline="001_by_hand")
    assert report == MigrationReport(("002_next",), "002_next")
    assert migrate(empty_database.url(), tmp_path).applied == ()


def test_a_broken_file_leaves_nothing_and_the_ones_before_it_stay(
    empty_database: Database, tmp_path: Path
) -> None:
    (tmp_path / "001_good.sql").write_text("CREATE TABLE good (id integer);")
    (tmp_path / "002_bad.sql").write_text("CREATE TABLE half (id integer); SELECT 1 / 0;")
    with pytest.raises(MigrationError) as failed:
        migrate(empty_database.url(), tmp_path)

    assert failed.value.name == "002_bad"
    with empty_database.connect() as connection:
        assert current_version(connection) == "001_good"
        half = connection.execute("SELECT to_regclass('half')").fetchone()
        assert half == (None,)

    (tmp_path / "002_bad.sql").write_text("CREATE TABLE half (id integer);")
    assert migrate(empty_database.url(), tmp_path).applied == ("002_bad",)


def test_a_killed_run_is_taken_up_by_the_next(empty_database: Database, tmp_path: Path) -> None:
    """SIGKILL in the middle of a file: its lock and its half go with it."""
    (tmp_path / "001_good.sql").write_text("CREATE TABLE good (id integer);")
    (tmp_path / "002_slow.sql").write_text(
        "CREATE TABLE slow (id integer); SELECT pg_advisory_xact_lock(42);"
    )
    program = "import sys; from pathlib import Path; from laurel_common.migrations import migrate;"
    program += "migrate(sys.argv[1], Path(sys.argv[2]))"
    with empty_database.connect() as blocker:
        blocker.execute("SELECT pg_advisory_lock(42)")
        runner = subprocess.Popen(
            [sys.executable, "-c", program, empty_database.url(), str(tmp_path)]
        )
        waiting = (
            "SELECT count(*) > 0 FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE NOT granted AND locktype = 'advisory' AND datname = current_database()"
        )
        eventually(lambda: blocker.execute(waiting).fetchone() == (True,))
        runner.send_signal(signal.SIGKILL)
        runner.wait()

    assert migrate(empty_database.url(), tmp_path).applied == ("002_slow",)


def test_a_library_that_is_missing_a_later_file_is_told_by_name(
    empty_database: Database, tmp_path: Path
) -> None:
    (tmp_path / "001_first.sql").write_text("SELECT 1;")
    migrate(empty_database.url(), tmp_path)
    (tmp_path / "050_other_context.sql").write_text("SELECT 1;")
    (tmp_path / "040_earlier_number.sql").write_text("SELECT 1;")
    assert migrate(empty_database.url(), tmp_path).applied == (
        "040_earlier_number",
        "050_other_context",
    )


async def test_services_see_what_is_missing(
    empty_database: Database, database: Database, tmp_path: Path
) -> None:
    for url, version, missing in (
        (empty_database.url("laurel_ingest"), None, migration_names()),
        (database.url("laurel_ingest"), expected_version(), []),
    ):
        engine = create_async_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        async with engine.connect() as connection:
            assert await schema_version(connection) == version
            assert await missing_migrations(connection) == missing
        await engine.dispose()


async def test_a_database_newer_than_the_code_misses_nothing(
    database: Database, tmp_path: Path
) -> None:
    for name in migration_names()[:-1]:
        (tmp_path / f"{name}.sql").touch()
    engine = create_async_engine(database.url().replace("postgresql://", "postgresql+psycopg://"))
    async with engine.connect() as connection:
        assert await missing_migrations(connection, tmp_path) == []
    await engine.dispose()


def test_an_owner_who_is_no_superuser_can_migrate(empty_database: Database) -> None:
    owner = f"owner_{empty_database.name}"
    with empty_database.connect() as admin:
        admin.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD 'secret'")
        admin.execute(f"ALTER DATABASE {empty_database.name} OWNER TO {owner}")
    try:
        url = with_login(empty_database.url(), owner, "secret")
        report = migrate(url, after=AFTER_MIGRATIONS)
        assert list(report.applied) == migration_names()
        with psycopg.connect(url, autocommit=True) as connection:
            made = connection.execute(
                "SELECT ensure_signals_monthly_partitions('2025-01-01', '2025-01-01')"
            ).fetchone()
            assert made == (1,)
    finally:
        with empty_database.connect() as admin:
            admin.execute(f"REASSIGN OWNED BY {owner} TO CURRENT_USER")
            admin.execute(f"DROP OWNED BY {owner}")
            admin.execute(f"ALTER DATABASE {empty_database.name} OWNER TO CURRENT_USER")
            admin.execute(f"DROP ROLE {owner}")


def test_a_password_is_stored_as_a_verifier_and_logs_in(empty_database: Database) -> None:
    role, password = f"role_{empty_database.name}", "p'ass\\wörd %s"
    with empty_database.connect() as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN")
        try:
            set_role_passwords(empty_database.url(), {role: password})
            stored = admin.execute(
                "SELECT rolpassword FROM pg_authid WHERE rolname = %s", (role,)
            ).fetchone()
            assert stored is not None
            assert stored[0].startswith("SCRAM-SHA-256$")
            url = with_login(empty_database.url(), role, password)
            with psycopg.connect(url) as connection:
                assert connection.execute("SELECT current_user").fetchone() == (role,)
        finally:
            admin.execute(f"DROP ROLE {role}")


def test_the_files_are_found_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "001_only.sql").touch()
    (tmp_path / "README.md").touch()
    monkeypatch.setenv("LAUREL_MIGRATIONS_DIR", str(tmp_path))

    assert migrations_directory() == tmp_path.resolve()
    assert migration_names() == ["001_only"]


def test_a_folder_without_files_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUREL_MIGRATIONS_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(MigrationsNotFoundError, match="nowhere"):
        migrations_directory()


_CATALOG = """
    SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        a.attnotnull::text || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE '\\_yoyo%'
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname, contype::text,
        pg_get_constraintdef(oid)
    FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE '\\_yoyo%'
    UNION ALL
    SELECT 'index', tablename, indexname, '', indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename NOT LIKE '\\_yoyo%'
    UNION ALL
    SELECT 'function', proname, '', pg_get_functiondef(oid), coalesce(proacl::text, '')
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'trigger', tgrelid::regclass::text, tgname, '', pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
        AND tgrelid::regclass::text NOT LIKE '%\\_jobs.%'
    UNION ALL
    SELECT 'rights', relname, '', '', relacl::text
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '\\_yoyo%'
        AND relacl IS NOT NULL
    ORDER BY 1, 2, 3, 4, 5
"""


def _catalog(database: Database) -> list[tuple[object, ...]]:
    with database.connect() as connection:
        return connection.execute(_CATALOG).fetchall()
