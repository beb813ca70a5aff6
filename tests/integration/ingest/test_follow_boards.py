"""Scoring is told of changes: of each once, and seldom while a stream writes in bulk."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_common.errors import RemoteError
from laurel_ingest.application.follow_boards import LONGEST_WAIT, PAUSE, FollowBoards
from laurel_ingest.storage.scoring_notices import ScoringNoticeTable, note_change
from tests.support.database import Database

ONE, OTHER = 7, 8


class ScoringHeard:
    """Notes what it is told unless it is away; changes something again meanwhile where asked to."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.told: list[int] = []
        self.changes_meanwhile = False
        self.is_away = False

    async def start(self, installation_id: int) -> None:
        if self.is_away:
            raise RemoteError("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE", "away")
        self.told.append(installation_id)
        if self.changes_meanwhile:
            self.changes_meanwhile = False
            await change(self.engine, installation_id)


class Timer:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def change(engine: AsyncEngine, *installations: int) -> None:
    async with transaction(engine) as connection:
        await note_change(connection, installations)


@pytest.fixture
def scoring(database: Database, engine: AsyncEngine) -> ScoringHeard:
    with database.connect() as owner:
        for installation in (ONE, OTHER):
            owner.execute(
                "INSERT INTO organizations (id, login) VALUES (%s, %s)",
                (installation, f"o{installation}"),
            )
            owner.execute(
                "INSERT INTO github_installations (installation_id, app_id, organization_id)"
                " VALUES (%s, 1, %s)",
                (installation, installation),
            )
    return ScoringHeard(engine)


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
def follow(engine: AsyncEngine, scoring: ScoringHeard, timer: Timer) -> FollowBoards:
    return FollowBoards(ScoringNoticeTable(engine), scoring, timer=timer)


async def test_a_change_that_comes_while_scoring_is_told_is_told_again(
    follow: FollowBoards, scoring: ScoringHeard, engine: AsyncEngine
) -> None:
    await change(engine, ONE, OTHER)
    scoring.changes_meanwhile = True
    await follow()
    assert sorted(scoring.told) == [ONE, OTHER]
    await follow()
    await follow()
    assert len(scoring.told) == 3


async def test_a_bulk_write_is_told_of_seldom_and_at_its_end(
    follow: FollowBoards, scoring: ScoringHeard, engine: AsyncEngine, timer: Timer
) -> None:
    woken = asyncio.Event()
    follow.on_wake = woken.set
    with follow.bulk_write() as bulk:
        told_at = []
        for second in range(int(3 * LONGEST_WAIT)):
            timer.now = float(second)
            bulk.begins()
            await change(engine, ONE)
            bulk.wrote([ONE])
            before = len(scoring.told)
            await follow()
            if len(scoring.told) > before:
                told_at.append(timer.now)
        assert told_at == [LONGEST_WAIT, 2 * LONGEST_WAIT + 1]
    assert woken.is_set()
    await follow()
    assert len(scoring.told) == 3


async def test_what_a_bulk_write_writes_is_told_of_when_it_pauses_and_not_within_a_batch(
    follow: FollowBoards, scoring: ScoringHeard, engine: AsyncEngine, timer: Timer
) -> None:
    with follow.bulk_write() as bulk:
        bulk.begins()
        await change(engine, ONE)
        bulk.wrote([ONE])
        bulk.begins()
        timer.now += PAUSE
        await follow()
        assert scoring.told == []
        bulk.wrote([ONE])
        timer.now += PAUSE
        await follow()
        assert scoring.told == [ONE]


async def test_a_bulk_write_of_one_installation_lets_no_other_wait(
    follow: FollowBoards, scoring: ScoringHeard, engine: AsyncEngine
) -> None:
    with follow.bulk_write() as bulk:
        await change(engine, ONE, OTHER)
        bulk.wrote([ONE])
        await follow()
        assert scoring.told == [OTHER]


async def test_what_another_process_told_waits_anew_when_it_changes_again(
    follow: FollowBoards, scoring: ScoringHeard, engine: AsyncEngine, timer: Timer
) -> None:
    other = FollowBoards(ScoringNoticeTable(engine), scoring, timer=timer)
    with follow.bulk_write() as bulk:
        for _ in range(2):
            bulk.begins()
            await change(engine, ONE)
            bulk.wrote([ONE])
            await follow()
            before = len(scoring.told)
            await other()
            assert len(scoring.told) == before + 1
            await follow()
            timer.now += LONGEST_WAIT
    assert scoring.told == [ONE, ONE]


async def test_a_run_is_told_of_seldom_until_it_ends_and_what_people_wait_for_at_once(
    follow: FollowBoards, scoring: ScoringHeard, engine: AsyncEngine, timer: Timer
) -> None:
    woken = asyncio.Event()
    follow.on_wake = woken.set
    bulk = follow.lasting_bulk_write()
    for installation in (ONE, OTHER):
        bulk.begins(of=installation)
        await change(engine, installation)
        bulk.wrote([installation], of=installation)
    bulk.begins(of=OTHER)
    await follow()
    assert scoring.told == []
    timer.now += PAUSE
    await follow()
    assert scoring.told == [ONE], "the other one is still being written"
    follow.hurry([OTHER])
    assert woken.is_set()
    await follow()
    assert scoring.told == [ONE, OTHER]
    await change(engine, OTHER)
    bulk.wrote([OTHER], of=OTHER)
    await follow()
    assert scoring.told == [ONE, OTHER], "a hurry is of what was there then"
    woken.clear()
    bulk.ended(OTHER)
    assert woken.is_set()
    await follow()
    assert scoring.told == [ONE, OTHER, OTHER]


async def test_what_people_wait_for_stays_urgent_while_scoring_is_away(
    follow: FollowBoards, scoring: ScoringHeard, engine: AsyncEngine
) -> None:
    with follow.bulk_write() as bulk:
        bulk.begins()
        await change(engine, ONE)
        bulk.wrote([ONE])
        follow.hurry([ONE])
        scoring.is_away = True
        await follow()
        assert scoring.told == []
        scoring.is_away = False
        await follow()
        assert scoring.told == [ONE]
        await change(engine, ONE)
        await follow()
        assert scoring.told == [ONE], "a hurry is of what was there then"
