"""Reading history costs steps along its key, however much others left."""

from datetime import timedelta

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_leaderboard.domain.history import DaySpan, HistoryPlace
from laurel_leaderboard.domain.versions import RetentionState, Version
from laurel_leaderboard.storage.history import _POINTS, PostgresHistory
from tests.support.database import Database
from tests.support.leaderboard_builders import CONTRIBUTORS, NOON, header_of

VERSION = Version(
    id=1,
    preset=header_of().preset,
    board=CONTRIBUTORS,
    number=1,
    row_count=0,
    signal_count=0,
    state=RetentionState.CURRENT,
    computed_at=NOON,
    as_of=NOON,
    checked_at=NOON,
)
DAY = NOON.date()
SPAN = DaySpan(DAY - timedelta(days=399), DAY)
BOARD = """
    INSERT INTO leaderboard_boards
        (id, preset_id, scope_type, organization_id, entity_type, time_period)
    VALUES (1, 7, 'organization', 700, 'contributor', 'all_time')
"""
# 400 days of 200 entities.
YEAR = """
    INSERT INTO leaderboard_history (board_id, day, entity_id, score, rank)
    SELECT 1, DATE '2026-01-15' - n, e, e, 201 - e
    FROM generate_series(0, 399) n, generate_series(1, 200) e
"""


@pytest.fixture
async def history(engine: AsyncEngine, database: Database) -> PostgresHistory:
    with database.connect() as connection:
        connection.execute(BOARD)
        connection.execute(YEAR)
        connection.execute("ANALYZE leaderboard_history")
    return PostgresHistory(engine)


async def explain(engine: AsyncEngine, statement: TextClause, **values: object) -> str:
    """The plan that PostgreSQL makes of a statement, run, with what it read."""
    async with engine.connect() as connection:
        query = text(f"EXPLAIN (ANALYZE, BUFFERS OFF, TIMING OFF) {statement.text}")
        bound = query.bindparams(*statement._bindparams.values())
        return "\n".join((await connection.execute(bound, values)).scalars())


async def test_points_are_read_by_entity_and_day(history: PostgresHistory) -> None:
    found = await history.points(VERSION, [3, 200], SPAN, None, 1000)
    assert [(p.entity_id, p.day) for p in found] == [
        (id_, SPAN.first + timedelta(days=n)) for id_ in (3, 200) for n in range(400)
    ]
    rest = await history.points(VERSION, [3, 200], SPAN, HistoryPlace(200, DAY), 10)
    assert rest == []


async def test_standings_are_those_of_one_day(history: PostgresHistory) -> None:
    found = await history.standings(VERSION, DAY, [1, 200, 999])
    assert found == {1: (200, 10_000), 200: (1, 2_000_000)}
    assert await history.standings(VERSION, DAY + timedelta(days=1), [1]) == {}
    assert await history.standings(VERSION, DAY, []) == {}


async def test_a_point_costs_a_step_along_the_key(
    history: PostgresHistory, engine: AsyncEngine
) -> None:
    plan = await explain(
        engine,
        _POINTS,
        ids=[3],
        first=SPAN.first,
        last=SPAN.last,
        after_id=None,
        after_day=None,
        limit=1000,
        board_id=1,
    )
    assert "pk_leaderboard_history" in plan
    assert "Seq Scan on leaderboard_history" not in plan
    # Neither do others' entries of the same days pass through a filter.
    assert "Rows Removed" not in plan
