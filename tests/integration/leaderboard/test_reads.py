"""The three layers of reads: what is asked of which, and what happens while one is away."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from laurel.leaderboard.v1.leaderboard_pb2 import (
    FRESHNESS_FRESH,
    FRESHNESS_STALE,
    SOURCE_MEMORY,
    SOURCE_POSTGRESQL,
    SOURCE_REDIS,
)
from laurel_common.errors import DatabaseUnavailable
from laurel_common.redis import create_redis
from laurel_common.testing.clock import FakeClock
from laurel_embedded import EmbeddedValkey
from laurel_leaderboard.domain.boards import BoardAddress, EntityType
from laurel_leaderboard.domain.errors import BoardNotFound
from laurel_leaderboard.domain.versions import Version
from tests.integration.leaderboard.conftest import Replica, Told
from tests.support.leaderboard_builders import (
    NOON,
    PRESET,
    TEAMS,
    BoardOf,
    address_of,
    header_of,
)

BOARD = BoardOf({n: 1_000 * n for n in range(1, 8)})
SECOND = timedelta(seconds=1)


async def settle() -> None:
    """Lets what runs in the background come to rest."""
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait([task], timeout=5)


async def test_a_hundred_readers_of_a_cold_board_cost_one_reading(replica: Replica) -> None:
    await replica.publish(BOARD)
    replica.pointers.expire()
    await replica.shared._redis.flushdb()
    replica.versions.gate = asyncio.Event()
    readers = [asyncio.create_task(replica.get()) for _ in range(100)]
    await asyncio.sleep(0)
    replica.versions.gate.set()
    answers = await asyncio.gather(*readers)
    assert {len(answer.entries) for answer in answers} == {7}
    assert replica.versions.asked == {"current": 1, "rows": 1}


async def test_a_reader_that_gives_up_does_not_take_the_others_answer(replica: Replica) -> None:
    await replica.publish(BOARD)
    replica.versions.gate = asyncio.Event()
    first = asyncio.create_task(replica.get())
    await asyncio.sleep(0.01)
    second = asyncio.create_task(replica.get())
    await asyncio.sleep(0.01)
    first.cancel()
    replica.versions.gate.set()
    assert len((await second).entries) == 7
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_each_layer_is_asked_when_those_above_it_know_nothing(
    replicas: Callable[..., Replica],
) -> None:
    one, other = replicas(), replicas()
    await one.publish(BOARD)
    assert (await one.get()).source == SOURCE_POSTGRESQL
    assert (await one.get()).source == SOURCE_MEMORY
    assert (await other.get()).source == SOURCE_REDIS
    assert (await other.get()).source == SOURCE_MEMORY
    assert one.versions.asked == {"rows": 1}
    assert other.versions.asked == {}


async def test_who_asks_after_a_notice_does_not_get_what_was_asked_before(
    replicas: Callable[..., Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = replicas(), replicas()
    await one.publish(BOARD)
    await one.shared._redis.flushdb()
    current, answered, gate = other.versions.current, asyncio.Event(), asyncio.Event()

    async def slow(address: BoardAddress) -> Version | None:
        found = await current(address)
        answered.set()
        await gate.wait()
        return found

    monkeypatch.setattr(other.versions, "current", slow)
    before = asyncio.create_task(other.get())
    await answered.wait()
    await one.publish(BoardOf({1: 1}), header=header_of(NOON + SECOND))
    after = asyncio.create_task(other.get())
    await asyncio.sleep(0)
    gate.set()
    assert [(await each).version for each in (before, after)] == [1, 2]
    assert (await other.get()).version == 2


async def test_named_and_served_preset_lead_to_the_same_pages(
    replicas: Callable[..., Replica],
) -> None:
    one, other = replicas(), replicas()
    await one.publish(BOARD)
    await one.get(address_of(preset_id=PRESET))
    assert (await one.get()).source == SOURCE_MEMORY
    assert (await other.get(address_of(preset_id=PRESET))).source == SOURCE_REDIS


async def test_a_pointer_is_not_believed_longer_than_its_time(
    replica: Replica, clock: FakeClock, notices: Told
) -> None:
    """A publish that nobody was told of: Redis was away, the notice was lost."""
    await replica.publish(BOARD)
    await replica.get()
    notices.deaf = True
    await replica.publish(BoardOf({1: 1}), header=header_of(NOON + SECOND))
    assert (await replica.get()).version == 1
    clock.advance(SECOND)
    assert (await replica.get()).version == 2


async def test_what_redis_was_not_told_is_found_out_in_time(
    replicas: Callable[..., Replica], clock: FakeClock, notices: Told
) -> None:
    one, other = replicas(), replicas()
    await one.publish(BOARD)
    assert (await one.get()).version == 1
    notices.deaf = True
    other.shared._pause_until = clock.now() + timedelta(minutes=1)
    await other.publish(BoardOf({1: 1}), header=header_of(NOON + SECOND))
    clock.advance(timedelta(seconds=6))
    assert (await one.get()).version == 2


async def test_an_older_version_never_takes_a_newer_ones_place_in_redis(
    replica: Replica, clock: FakeClock
) -> None:
    await replica.publish(BOARD)
    old = await replica.versions.current(address_of())
    await replica.publish(BoardOf({1: 1}), header=header_of(NOON + SECOND))
    assert old is not None
    # Beside others, which are noted all the same.
    teams = replace(old, board=TEAMS)
    repositories = replace(old, board=TEAMS._replace(entity_type=EntityType.REPOSITORY))
    await replica.shared.note_pointers([teams, old, repositories], clock.now())
    noted = await replica.shared.pointer(address_of())
    assert noted is not None
    assert noted[0].number == 2
    assert noted[0] == await replica.versions.current(address_of())
    for other in (teams, repositories):
        assert await replica.shared.pointer(address_of(other.board)) == (other, clock.now())


async def test_every_replica_sees_a_publish_that_it_is_told_of(
    replicas: Callable[..., Replica],
) -> None:
    one, other = replicas(), replicas()
    await one.publish(BOARD)
    assert (await other.get()).version == 1
    await one.publish(BoardOf({1: 1}), header=header_of(NOON + SECOND))
    assert (await other.get()).version == 2
    assert (await one.get()).version == 2


async def test_reads_go_on_without_redis_and_use_it_again(
    replicas: Callable[..., Replica], clock: FakeClock, tmp_path: Path
) -> None:
    valkey = EmbeddedValkey(tmp_path, die_with_parent=True)
    valkey.start()
    client = create_redis(valkey.url(), timeout=2)
    try:
        one = replicas(redis=client, capacity=0)
        await one.publish(BOARD)
        await one.get()
        assert (await one.get()).source == SOURCE_REDIS
        valkey.stop()
        for _ in range(5):
            assert (await one.get()).source == SOURCE_POSTGRESQL
        assert one.statistics.redis_failures == 1
        assert one.statistics.redis_skipped >= 4
        valkey.start()
        clock.advance(SECOND)
        await one.get()
        assert (await one.get()).source == SOURCE_REDIS
    finally:
        await client.aclose()
        valkey.stop()


async def test_publishing_goes_on_without_redis(
    replicas: Callable[..., Replica], tmp_path: Path
) -> None:
    client = create_redis("redis://127.0.0.1:1", timeout=1)
    one = replicas(redis=client)
    await one.publish(BOARD)
    assert (await one.get()).version == 1
    await client.aclose()


async def test_boards_in_memory_outlive_postgresql_as_stale(
    replica: Replica, clock: FakeClock
) -> None:
    await replica.publish(BOARD)
    first = await replica.get()
    assert first.freshness == FRESHNESS_FRESH
    replica.versions.cut = True
    await replica.shared._redis.flushdb()
    for _ in range(5):
        clock.advance(timedelta(seconds=40))
        answer = await replica.get()
        assert (answer.freshness, answer.source) == (FRESHNESS_STALE, SOURCE_MEMORY)
        assert answer.entries == first.entries
        await settle()
    replica.versions.cut = False
    clock.advance(SECOND)
    await replica.get()
    await settle()
    assert (await replica.get()).freshness == FRESHNESS_FRESH


async def test_boards_in_redis_outlive_postgresql_as_stale(
    replicas: Callable[..., Replica], clock: FakeClock
) -> None:
    one, other = replicas(), replicas()
    await one.publish(BOARD)
    await one.get()
    other.versions.cut = True
    clock.advance(timedelta(seconds=6))
    answer = await other.get()
    assert (answer.freshness, answer.source, len(answer.entries)) == (
        FRESHNESS_STALE,
        SOURCE_REDIS,
        7,
    )


async def test_what_nobody_remembers_is_unavailable_without_postgresql(replica: Replica) -> None:
    await replica.publish(BOARD)
    await replica.shared._redis.flushdb()
    replica.versions.cut = True
    with pytest.raises(DatabaseUnavailable):
        await replica.get()
    replica.versions.cut = False
    assert (await replica.get()).version == 1


async def test_a_board_that_is_missing_is_looked_for_again_after_a_second(
    replica: Replica, clock: FakeClock
) -> None:
    for _ in range(3):
        with pytest.raises(BoardNotFound):
            await replica.get()
    assert replica.versions.asked["current"] == 1
    clock.advance(SECOND)
    with pytest.raises(BoardNotFound):
        await replica.get()
    assert replica.versions.asked["current"] == 2


async def test_an_answer_from_before_a_notice_is_not_kept(
    replica: Replica, clock: FakeClock
) -> None:
    await replica.publish(BOARD)
    await replica.shared._redis.flushdb()
    replica.versions.gate = asyncio.Event()
    reading = asyncio.create_task(replica.get())
    await asyncio.sleep(0.01)
    replica.pointers.expire()
    replica.versions.gate.set()
    await reading
    assert replica.pointers.peek(address_of(), clock.now()) is None
