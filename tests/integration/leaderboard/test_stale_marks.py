"""Marks while boards are being published: whoever is later is seen, on every replica."""

from collections.abc import Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel.leaderboard.v1.leaderboard_pb2 import FRESHNESS_FRESH, FRESHNESS_STALE
from laurel_common.testing.clock import FakeClock
from laurel_leaderboard.application.mark_stale import MarkStale
from laurel_leaderboard.domain.boards import Preset
from laurel_leaderboard.domain.freshness import Cause, Marks
from laurel_leaderboard.storage.stale_marks import PostgresStaleMarks
from tests.integration.leaderboard.conftest import Replica, Told
from tests.support.leaderboard_builders import (
    INSTALLATION,
    PRESET,
    BoardOf,
    address_of,
    header_of,
)


@pytest.fixture
def mark(engine: AsyncEngine, replica: Replica, clock: FakeClock, notices: Told) -> MarkStale:
    marks = PostgresStaleMarks(engine)
    return MarkStale(marks, replica.versions, replica.shared, notices, clock)


async def test_every_replica_sees_a_mark_at_once(
    replicas: Callable[..., Replica], mark: MarkStale
) -> None:
    one, other = replicas(), replicas()
    await one.publish(BoardOf({1: 1}))
    assert [(await each.get()).freshness for each in (one, other)] == 2 * [FRESHNESS_FRESH]
    await mark(INSTALLATION, [], Cause.ROSTER)
    assert [(await each.get()).freshness for each in (one, other)] == 2 * [FRESHNESS_STALE]


@pytest.mark.parametrize("when", ["before the marks are read", "after the marks are read"])
async def test_a_mark_between_a_publishers_commit_and_its_note_is_not_lost(
    replica: Replica, mark: MarkStale, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    read = PostgresStaleMarks.on_preset

    async def interrupted(self: PostgresStaleMarks, preset: Preset) -> Marks:
        if when.startswith("before"):
            await mark(INSTALLATION, [], Cause.SIGNALS)
        found = await read(self, preset)
        if when.startswith("after"):
            await mark(INSTALLATION, [], Cause.SIGNALS)
        return found

    monkeypatch.setattr(PostgresStaleMarks, "on_preset", interrupted)
    await replica.publish(BoardOf({1: 1}))
    assert (await replica.get()).freshness == FRESHNESS_STALE


async def test_a_settled_mark_lets_every_replica_be_fresh(
    replicas: Callable[..., Replica], mark: MarkStale, clock: FakeClock
) -> None:
    one, other = replicas(), replicas()
    await one.publish(BoardOf({1: 1}))
    number = await mark(INSTALLATION, [], Cause.SIGNALS)
    later = header_of(clock.now().replace(minute=1), stale_mark=number)
    await one.publish(BoardOf({1: 2}), header=later)
    assert [(await each.get()).freshness for each in (one, other)] == 2 * [FRESHNESS_FRESH]


async def test_a_mark_on_all_boards_is_noted_once_for_all_pointers(
    replica: Replica, clock: FakeClock
) -> None:
    shared = replica.shared

    async def noted() -> int:
        found = await shared.pointer(address_of())
        assert found is not None
        return found[0].stale_mark

    await replica.publish(BoardOf({1: 1}))
    for number in (5, 3):  # whoever marks writes in any order
        await shared.note_mark(INSTALLATION, number)
    assert await noted() == 5
    # Another one of the same id begins to count anew.
    await shared.forget_presets([INSTALLATION], [PRESET])
    version = await replica.versions.current(address_of())
    assert version is not None
    await shared.note_pointers([version], clock.now())
    await shared.note_served(version.preset, clock.now())
    assert await noted() == 0
