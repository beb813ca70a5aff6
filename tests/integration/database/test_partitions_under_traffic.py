"""Partitions are made while others write and read: nothing is lost, nobody deadlocks."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event

from psycopg.errors import CheckViolation

from tests.support.database import Database
from tests.support.rows import Rows
from tests.support.waiting import eventually

_MONTHS = 8
_COPY = (
    "COPY signals (installation_id, user_id, repository_id, type, event_timestamp, content_hash)"
    " FROM STDIN"
)


@dataclass(slots=True)
class Writer:
    """Copies small batches all over the months; counts what was committed and what refused."""

    seed: int
    scope: tuple[int, int, int]
    stop: Event
    written: int = 0
    refused_by: set[str | None] = field(default_factory=set)

    def run(self, database: Database) -> None:
        random = Random(self.seed)  # noqa: S311 - repeatable, not secret
        with database.connect("laurel_ingest", autocommit=False) as connection:
            while not self.stop.is_set():
                batch = [self._row(random) for _ in range(random.randint(1, 30))]
                try:
                    with connection.transaction(), connection.cursor().copy(_COPY) as copy:
                        for row in batch:
                            copy.write_row(row)
                except CheckViolation as refused:
                    # The month got its table while the row was on its way into the default one.
                    self.refused_by.add(refused.diag.table_name)
                else:
                    self.written += len(batch)

    def _row(self, random: Random) -> tuple[object, ...]:
        moment = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=random.randrange(_MONTHS * 720))
        return (*self.scope, "commit", moment, f"{random.getrandbits(256):064x}")


def _upsert_users(database: Database, user: int, stop: Event) -> None:
    """Identity's writes to a table that every partition refers to."""
    with database.connect("laurel_identity") as identity:
        while not stop.is_set():
            identity.execute("UPDATE users SET name = 'Ada' WHERE id = %s", (user,))


def _read(database: Database, stop: Event) -> None:
    with database.connect("laurel_ingest") as ingest:
        while not stop.is_set():
            ingest.execute("SELECT count(*) FROM signals")


def test_what_writers_commit_while_partitions_are_made_is_there_once(database: Database) -> None:
    with database.connect() as owner:
        rows = Rows(owner)
        user = rows.user()
        scope = rows.installation(), user, rows.repository()
        stop = Event()
        writers = [Writer(seed, scope, stop) for seed in (1, 2)]
        with ThreadPoolExecutor(4) as pool:
            tasks = [pool.submit(writer.run, database) for writer in writers]
            tasks.append(pool.submit(_upsert_users, database, user, stop))
            tasks.append(pool.submit(_read, database, stop))
            try:
                eventually(lambda: all(writer.written > 100 for writer in writers))
                for month in range(1, _MONTHS + 1):
                    moment = datetime(2024, month, 15, tzinfo=UTC)
                    made = owner.execute(
                        "SELECT ensure_signals_monthly_partitions(%s, %s)", (moment, moment)
                    ).fetchone()
                    assert made == (1,)
            finally:
                stop.set()
            for task in tasks:
                task.result(timeout=30)
        stored = owner.execute("SELECT count(*), count(DISTINCT content_hash) FROM signals")
        counted = stored.fetchone()
        left = owner.execute("SELECT count(*) FROM signals_default").fetchone()

    written = sum(writer.written for writer in writers)
    assert counted == (written, written)
    assert left == (0,)
    assert {table for writer in writers for table in writer.refused_by} <= {"signals_default"}
