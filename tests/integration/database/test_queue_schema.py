"""The job queue's tables in a schema per service, at the disposal of its role alone."""

import pytest
from procrastinate import App, PsycopgConnector
from psycopg.errors import InsufficientPrivilege

from laurel_common.jobs import JobSchema, schema
from laurel_identity.storage.lanes import JOB_SCHEMA as IDENTITY_JOBS
from laurel_ingest.storage.job_schema import JOB_SCHEMA as INGEST_JOBS
from laurel_scoring.storage.queue import JOB_SCHEMA as SCORING_JOBS
from tests.support.database import Database

EACH = pytest.mark.parametrize(
    "jobs", [IDENTITY_JOBS, INGEST_JOBS, SCORING_JOBS], ids=lambda jobs: jobs.name
)
ROLES = ("laurel_identity", "laurel_ingest", "laurel_scoring", "laurel_leaderboard")


def _app(url: str, jobs: JobSchema) -> App:
    connector = PsycopgConnector(conninfo=url, kwargs={"options": f"-c search_path={jobs.name}"})
    return App(connector=connector)


@EACH
async def test_a_service_defers_and_works_off_jobs_as_its_own_role(
    database: Database, jobs: JobSchema
) -> None:
    worked: list[int] = []
    app = _app(database.url(jobs.role), jobs)

    @app.task(name="work")
    async def work(installation_id: int) -> None:
        worked.append(installation_id)

    async with app.open_async():
        await work.configure(queueing_lock="7", lock="7").defer_async(installation_id=7)
        await app.run_worker_async(wait=False, install_signal_handlers=False)

    assert worked == [7]
    with database.connect() as owner:
        owner.execute(f"SET search_path = {jobs.name}")
        row = owner.execute("SELECT status::text FROM procrastinate_jobs").fetchone()
    assert row == ("succeeded",)


@EACH
def test_other_roles_do_not_even_see_the_queue(module_database: Database, jobs: JobSchema) -> None:
    for role in set(ROLES) - {jobs.role}:
        with module_database.connect(role) as service, pytest.raises(InsufficientPrivilege):
            service.execute(f"TABLE {jobs.name}.procrastinate_jobs")


def test_the_installers_search_path_is_left_as_it_was(empty_database: Database) -> None:
    with empty_database.connect() as owner:
        owner.execute(f"CREATE SCHEMA {SCORING_JOBS.name}")
        owner.execute("SET search_path = public")
        with owner.transaction():
            SCORING_JOBS.install(owner)
            owner.execute("CREATE TABLE here (id integer)")
        row = owner.execute("SELECT to_regclass('public.here') IS NOT NULL").fetchone()
        tables = owner.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = %s", (SCORING_JOBS.name,)
        ).fetchone()

    assert row == (True,)
    assert tables == (4,)


def test_a_newer_queue_library_upgrades_its_tables_in_order(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """The scripts between the recorded version and the installed one, and no others."""
    wanted = schema._migrations_after((3, 0, 0), (3, 4, 0))
    names = [file.name for file in wanted]

    assert names == sorted(names)
    assert names
    assert all((3, 0, 0) < schema._parse(name.split("_")[0]) <= (3, 4, 0) for name in names)
