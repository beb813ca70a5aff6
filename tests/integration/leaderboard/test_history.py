"""What boards leave at the end of a UTC day, over midnights, downtimes and two replicas."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.testing.clock import FakeClock
from laurel_leaderboard.application.keep_history import KeepHistory
from laurel_leaderboard.application.retire_versions import RetireVersions
from laurel_leaderboard.domain.boards import TimePeriod
from laurel_leaderboard.storage.history_writing import PostgresDayKeeper
from laurel_leaderboard.storage.retention import PostgresRetention
from tests.integration.leaderboard.conftest import Replica
from tests.support.database import Database
from tests.support.leaderboard_builders import CONTRIBUTORS, NOON, BoardOf, address_of, header_of

DELAY = timedelta(minutes=6)
DAY = timedelta(days=1)
TODAY = CONTRIBUTORS._replace(time_period=TimePeriod.TODAY)


@pytest.fixture
def keep(engine: AsyncEngine, clock: FakeClock) -> KeepHistory:
    return KeepHistory(PostgresDayKeeper(engine), clock, delay=DELAY)


@pytest.fixture
def retire(engine: AsyncEngine, keep: KeepHistory, clock: FakeClock) -> RetireVersions:
    return RetireVersions(
        PostgresRetention(engine),
        keep,
        clock,
        interval=timedelta(minutes=1),
        purge_delay=timedelta(minutes=10),
    )


@pytest.fixture
def publish(replica: Replica, clock: FakeClock) -> Callable[..., Any]:
    """Publishes one board at an instant."""

    async def at(instant: datetime, scores: dict[int, int], key: Any = CONTRIBUTORS) -> None:
        clock.set(instant)
        await replica.publish(BoardOf(scores, key), header=header_of(instant))

    return at


def places(database: Database) -> list[tuple[date, int, int, int]]:
    """(day, entity, ten-thousandths, rank) of all of history."""
    with database.connect() as connection:
        return connection.execute(
            "SELECT day, entity_id, (score * 10000)::bigint, rank FROM leaderboard_history"
            " ORDER BY board_id, day, rank, entity_id"
        ).fetchall()


def days(database: Database) -> list[tuple[date, int, int]]:
    """(day, version, entries) of all boards' days."""
    with database.connect() as connection:
        return connection.execute(
            "SELECT day, version, entry_count FROM leaderboard_history_days ORDER BY board_id, day"
        ).fetchall()


async def test_the_version_that_stood_at_midnight_is_what_a_day_leaves(
    publish: Callable[..., Any], keep: KeepHistory, clock: FakeClock, database: Database
) -> None:
    midnight = datetime(2026, 1, 16, tzinfo=UTC)
    await publish(NOON, {1: 10, 2: 20})
    await publish(midnight - timedelta(microseconds=1), {1: 30, 2: 20, 3: 20})
    await publish(midnight, {1: 99})
    clock.set(midnight + DELAY)
    assert await keep() == 1
    assert places(database) == [
        (NOON.date(), 1, 30, 1),
        (NOON.date(), 2, 20, 2),
        (NOON.date(), 3, 20, 2),
    ]


async def test_a_day_is_not_written_before_its_last_publishes_have_ended(
    publish: Callable[..., Any], keep: KeepHistory, clock: FakeClock, database: Database
) -> None:
    await publish(NOON, {1: 10})
    clock.set(datetime(2026, 1, 16, tzinfo=UTC) + DELAY - timedelta(microseconds=1))
    assert await keep() == 0
    assert days(database) == []


async def test_a_day_is_written_once(
    publish: Callable[..., Any], keep: KeepHistory, clock: FakeClock, database: Database
) -> None:
    await publish(NOON, {1: 10})
    clock.set(NOON + DAY)
    assert (await keep(), await keep()) == (1, 0)
    await publish(NOON + DAY, {1: 20})
    # As if the mark of how far the filling came had been lost.
    with database.connect() as connection:
        connection.execute("UPDATE published_presets SET history_day = NULL")
    assert await keep() == 0
    assert places(database) == [(NOON.date(), 1, 10, 1)]


async def test_days_that_nobody_was_there_for_are_made_up_before_anything_is_purged(
    publish: Callable[..., Any], retire: RetireVersions, clock: FakeClock, database: Database
) -> None:
    await publish(NOON, {1: 10})
    await publish(NOON + DAY, {1: 20})
    await publish(NOON + 3 * DAY, {1: 30})
    clock.set(NOON + 5 * DAY)
    assert await retire() == (2, 2)
    first = NOON.date()
    assert days(database) == [(first + n * DAY, v, 1) for n, v in enumerate((1, 2, 2, 3, 3))]
    assert [place[2] for place in places(database)] == [10, 20, 20, 30, 30]


async def test_a_board_whose_version_has_no_rows_any_more_leaves_no_such_day(
    publish: Callable[..., Any],
    engine: AsyncEngine,
    keep: KeepHistory,
    clock: FakeClock,
    database: Database,
) -> None:
    await publish(NOON, {1: 10})
    await publish(NOON + DAY, {1: 20})
    late = NOON + 3 * DAY
    await PostgresRetention(engine).retire(late, late)
    clock.set(late)
    assert await keep() == 2
    assert [day for day, _, _ in days(database)] == [NOON.date() + DAY, NOON.date() + 2 * DAY]


async def test_a_board_of_today_leaves_only_days_on_which_it_was_checked(
    publish: Callable[..., Any], keep: KeepHistory, clock: FakeClock, database: Database
) -> None:
    await publish(NOON, {1: 10}, TODAY)
    clock.set(NOON + 2 * DAY)
    await keep()
    assert places(database) == [(NOON.date(), 1, 10, 1)]


async def test_an_empty_board_leaves_its_day(
    publish: Callable[..., Any], keep: KeepHistory, clock: FakeClock, database: Database
) -> None:
    await publish(NOON, {})
    clock.set(NOON + DAY)
    assert await keep() == 1
    assert (days(database), places(database)) == ([(NOON.date(), 1, 0)], [])


async def test_days_are_forgotten_after_four_hundred(
    publish: Callable[..., Any], keep: KeepHistory, clock: FakeClock, database: Database
) -> None:
    await publish(NOON, {1: 10})
    clock.set(NOON + 3 * DAY)
    await keep()
    clock.set(NOON + 401 * DAY)
    assert await keep() == 398
    kept = [day for day, _, _ in days(database)]
    assert kept == [NOON.date() + n * DAY for n in range(1, 401)]
    assert [place[0] for place in places(database)] == kept


async def test_a_replica_neither_writes_nor_purges_while_another_is_at_it(
    publish: Callable[..., Any], retire: RetireVersions, clock: FakeClock, database: Database
) -> None:
    await publish(NOON, {1: 10})
    await publish(NOON + timedelta(hours=1), {1: 20})
    clock.set(NOON + 3 * DAY)
    lock = "SELECT pg_advisory_lock(hashtextextended('laurel.leaderboard.history', 0))"
    with database.connect() as other:
        other.execute(lock)
        assert await retire() == (0, 0)
        assert days(database) == []
    assert await retire() == (1, 1)
    assert len(days(database)) == 3


async def test_replicas_at_the_same_moment_write_each_day_once(
    publish: Callable[..., Any], keep: KeepHistory, clock: FakeClock, database: Database
) -> None:
    await publish(NOON, {1: 10})
    clock.set(NOON + 9 * DAY)
    await asyncio.gather(*(keep() for _ in range(4)))
    await keep()
    assert [day for day, _, _ in days(database)] == [NOON.date() + n * DAY for n in range(9)]


@pytest.mark.parametrize(
    ("period", "back"),
    [(TimePeriod.TODAY, 1), (TimePeriod.WEEK, 7), (TimePeriod.ALL_TIME, 30)],
    ids=str,
)
async def test_entries_show_where_they_stood_one_period_before(
    publish: Callable[..., Any],
    keep: KeepHistory,
    replica: Replica,
    period: TimePeriod,
    back: int,
) -> None:
    key = CONTRIBUTORS._replace(time_period=period)
    await publish(NOON, {1: 10, 2: 20}, key)
    await publish(NOON + back * DAY, {1: 50, 2: 20, 3: 5}, key)
    await keep()
    answer = await replica.get(address_of(key))
    before = {
        e.entity.id: (e.previous_rank, e.previous_score_e4)
        for e in answer.entries
        if e.HasField("previous_rank")
    }
    assert before == {1: (2, 10), 2: (1, 20)}
