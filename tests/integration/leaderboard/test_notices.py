"""Notices of publishes through a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_leaderboard.storage import notices
from laurel_leaderboard.storage.notices import PostgresNotices
from tests.support.database import Database


class Ear:
    """Keeps what it hears, and fails over the next `faults` of it."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[int | None] = asyncio.Queue()
        self.faults = 0

    def __call__(self, installation_id: int | None) -> None:
        self.heard.put_nowait(installation_id)
        if self.faults:
            self.faults -= 1
            raise LookupError

    async def next(self) -> int | None:
        return await asyncio.wait_for(self.heard.get(), 10)


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
async def listener(
    engine: AsyncEngine, database: Database, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PostgresNotices]:
    monkeypatch.setattr(notices, "_PAUSE_SECONDS", 0)
    made = PostgresNotices(engine, database.url("laurel_leaderboard"), ear)
    task = asyncio.create_task(made.listen())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.usefixtures("listener")
async def test_an_announcement_reaches_other_replicas_and_oneself(
    engine: AsyncEngine, database: Database, ear: Ear
) -> None:
    assert await ear.next() is None
    own = Ear()
    speaker = PostgresNotices(engine, database.url("laurel_leaderboard"), own)
    await speaker.announce(71)
    assert await ear.next() == 71
    assert await own.next() == 71


@pytest.mark.usefixtures("listener")
async def test_a_lost_connection_is_made_again_and_anything_may_have_been_missed(
    database: Database, ear: Ear
) -> None:
    assert await ear.next() is None
    with database.connect() as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'laurel-leaderboard-notices'"
            " AND datname = current_database()"
        )
    assert await ear.next() is None
    with database.connect() as admin:
        admin.execute("SELECT pg_notify('laurel_boards', '72')")
        admin.execute("SELECT pg_notify('laurel_boards', 'what?')")
    assert await ear.next() == 72
    assert await ear.next() is None


@pytest.mark.usefixtures("listener")
async def test_a_fault_in_what_a_notice_leads_to_does_not_end_the_listening(
    database: Database, ear: Ear
) -> None:
    assert await ear.next() is None
    ear.faults = 1
    with database.connect() as admin:
        admin.execute("SELECT pg_notify('laurel_boards', '72')")
        assert await ear.next() == 72
        assert await ear.next() is None, "the connection is made anew"
        admin.execute("SELECT pg_notify('laurel_boards', '73')")
    assert await ear.next() == 73
