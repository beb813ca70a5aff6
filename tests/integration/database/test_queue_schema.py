"""The job queue's tables in their own schema, at the disposal of scoring alone."""

import pytest
from procrastinate import App, PsycopgConnector
from psycopg.errors import InsufficientPrivilege

from laurel_scoring.storage import queue_schema
from laurel_scoring.storage.queue_schema import QUEUE_SCHEMA, install_queue_schema
from tests.support.database import Database


def _app(url: str) -> App:
    connector = PsycopgConnector(conninfo=url, kwargs={"options": f"-c search_path={QUEUE_SCHEMA}"})
    return App(connector=connector)


async def test_scoring_defers_and_works_off_jobs_as_its_own_role(database: Database) -> None:
    worked: list[int] = []
    app = _app(database.url("laurel_scoring"))

    @app.task(name="score")
    async def score(installation_id: int) -> None:
        worked.append(installation_id)

    async with app.open_async():
        await score.configure(queueing_lock="7", lock="7").defer_async(installation_id=7)
        await app.run_worker_async(wait=False, install_signal_handlers=False)

    assert worked == [7]
    with database.connect() as owner:
        row = owner.execute("SELECT status::text FROM scoring_jobs.procrastinate_jobs").fetchone()
    assert row == ("succeeded",)


@pytest.mark.parametrize("role", ["laurel_identity", "laurel_ingest", "laurel_leaderboard"])
def test_other_roles_do_not_even_see_the_queue(database: Database, role: str) -> None:
    with database.connect(role) as service, pytest.raises(InsufficientPrivilege):
        service.execute("SELECT count(*) FROM scoring_jobs.procrastinate_jobs")


def test_the_installers_search_path_is_left_as_it_was(empty_database: Database) -> None:
    with empty_database.connect() as owner:
        owner.execute(f"CREATE SCHEMA {QUEUE_SCHEMA}")
        owner.execute("SET search_path = public")
        with owner.transaction():
            install_queue_schema(owner)
            owner.execute("CREATE TABLE here (id integer)")
        row = owner.execute("SELECT to_regclass('public.here') IS NOT NULL").fetchone()
        tables = owner.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = %s", (QUEUE_SCHEMA,)
        ).fetchone()

    assert row == (True,)
    assert tables == (4,)


def test_a_newer_queue_library_upgrades_its_tables_in_order(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """The scripts between the recorded version and the installed one, and no others."""
    wanted = queue_schema._migrations_after((3, 0, 0), (3, 4, 0))
    names = [file.name for file in wanted]

    assert names == sorted(names)
    assert names
    assert all((3, 0, 0) < queue_schema._parse(name.split("_")[0]) <= (3, 4, 0) for name in names)
