"""Boards over any life that hypothesis thinks of: published, killed while publishing, walked,
marked, retired, purged, forgotten, by two replicas that may crash.

Never half a board, never an older version than was shown, no walk that repeats or skips, and no
board called fresh that a change was marked on.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from laurel.leaderboard.v1.leaderboard_pb2 import FRESHNESS_STALE, GetLeaderboardResponse
from laurel_common.db import create_engine
from laurel_common.redis import create_redis
from laurel_common.testing.clock import FakeClock
from laurel_leaderboard.domain.errors import (
    BoardNotFound,
    MalformedBatch,
    NewerVersionExists,
    StreamOutOfOrder,
    VersionExpired,
)
from laurel_leaderboard.storage.retention import PostgresRetention
from tests.integration.leaderboard.conftest import RETENTION, Replica, Told
from tests.support.database import Database
from tests.support.leaderboard_builders import NOON, BoardOf, header_of, seed_world

SCORES = st.dictionaries(st.integers(1, 20), st.integers(-3, 3), max_size=20)
WHICH = st.integers(0, 1)
# How long a replica may show what was current before a publisher that nobody heard of.
BOUND = timedelta(seconds=6)
# How long it may believe that there is none: what it does not hear of it asks for again.
UNKNOWN = timedelta(seconds=1)
FORGET = """
TRUNCATE computed_scores, leaderboard_materializations, materialization_inputs, published_presets,
    leaderboard_boards, leaderboard_history, leaderboard_history_days, stale_installations,
    stale_boards
"""


@dataclass
class Walk:
    """A walk under way: its version, what is left of it, and the next token."""

    version: int
    left: list[tuple[int, int, int]]
    token: str


class Lives(RuleBasedStateMachine):
    """What must be true, beside the clock that decides it. Versions count from 1."""

    def __init__(self, runner: asyncio.Runner, database: Database, redis_url: str) -> None:
        super().__init__()
        self.run = runner.run
        self.clock, self.notices = FakeClock(NOON), Told()
        self.engine = create_engine(
            database.url("laurel_leaderboard"), application_name="test", pool_size=6
        )
        self.redis = create_redis(redis_url, timeout=5)
        self.retention = PostgresRetention(self.engine)
        self.scores: list[dict[int, int]] = []
        self.superseded_at: dict[int, datetime] = {}
        self.walks: list[Walk] = []
        self.marked = self.settled = 0
        self.unheard_until = self.unknown_until = NOON
        with database.connect() as owner:
            owner.execute(FORGET)
        self.run(self.flushed())

    @initialize()
    def two_replicas(self) -> None:
        # The second one's memory holds next to nothing: its reads are Redis's and PostgreSQL's.
        self.replicas = [self.replica(1_000_000), self.replica(2_000)]
        self.shown = [0, 0]

    def replica(self, capacity: int) -> Replica:
        async def made() -> Replica:
            return Replica(self.engine, self.redis, self.clock, self.notices, capacity=capacity)

        return self.run(made())

    def entries(self, version: int) -> list[tuple[int, int, int]]:
        scores = self.scores[version - 1]
        ordered = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
        return [
            (1 + sum(other > score for other in scores.values()), id_, score)
            for id_, score in ordered
        ]

    def came(self, scores: dict[int, int], mark: int) -> None:
        """`scores` are published: a version of their own, unless they are what was there."""
        if not self.scores or scores != self.scores[-1]:
            self.superseded_at[len(self.scores)] = self.clock.now()
            self.scores.append(scores)
        self.settled = max(self.settled, mark)

    @rule(by=WHICH, scores=SCORES, again=st.booleans(), behind=st.integers(0, 2))
    def publish(self, by: int, scores: dict[int, int], again: bool, behind: int) -> None:
        self.clock.advance(timedelta(microseconds=1))
        if again and self.scores:
            scores = self.scores[-1]
        mark = max(0, self.marked - behind)
        header = header_of(self.clock.now(), stale_mark=mark)
        self.run(self.replicas[by].publish(BoardOf(scores), header=header))
        self.came(scores, mark)
        self.unheard_until = self.clock.now()

    @rule(by=WHICH, scores=SCORES, turns=st.integers(0, 300))
    def kill_while_publishing(self, by: int, scores: dict[int, int], turns: int) -> None:
        """A publisher's process is gone at any moment; what it had committed stays."""
        self.clock.advance(timedelta(microseconds=1))
        header = header_of(self.clock.now())
        board = BoardOf(scores)

        async def killed() -> None:
            publishing = asyncio.create_task(self.replicas[by].publish(board, header=header))
            for _ in range(turns):
                if publishing.done():
                    break
                await asyncio.sleep(0)
            publishing.cancel()
            with suppress(asyncio.CancelledError):
                await publishing
            await self.replicas[by].close()

        self.run(killed())
        self.crash(by, 2_000)
        committed, checked_at = self.run(self.stored())
        if checked_at == self.clock.now():
            self.came(scores, 0)
            self.unheard_until = self.clock.now() + BOUND
            self.unknown_until = self.clock.now() + UNKNOWN
        assert committed == len(self.scores)

    async def stored(self) -> Sequence[Any]:
        """The current version in PostgreSQL, and as of when it was made or checked."""
        async with self.engine.connect() as connection:
            rows = await connection.exec_driver_sql(
                "SELECT m.version, i.as_of FROM leaderboard_materializations m"
                " JOIN materialization_inputs i ON i.materialization_id = m.id"
                " WHERE m.retention_state = 'current'"
            )
            found = rows.one_or_none()
        return found or (0, None)

    @rule(by=WHICH)
    def break_off(self, by: int) -> None:
        """A publisher's stream ends before its commit, or is refused: nothing of it is seen."""
        self.clock.advance(timedelta(microseconds=1))
        late, replica = header_of(self.clock.now()), self.replicas[by]
        with pytest.raises(StreamOutOfOrder):
            self.run(replica.publish(BoardOf({1: 99, 2: 98}), header=late, commits=False))
        with pytest.raises(MalformedBatch):
            self.run(
                replica.publish(BoardOf({1: 99}), header=late, rows=(BoardOf({1: 99, 2: 98}),))
            )

    # What there is to do here does not hang on what happened, since that hangs on the machine, too:
    # hypothesis would draw differently when it repeats a life.
    @rule(by=WHICH)
    def publish_late(self, by: int) -> None:
        if not self.scores:
            return
        late = header_of(self.clock.now() - timedelta(days=400))
        with pytest.raises(NewerVersionExists):
            self.run(self.replicas[by].publish(BoardOf({1: 77}), header=late))

    @rule(by=WHICH)
    def mark(self, by: int) -> None:
        self.marked = self.run(self.replicas[by].mark())

    @rule(by=WHICH, size=st.integers(1, 21))
    def begin_walk(self, by: int, size: int) -> None:
        if not self.scores:
            return
        try:
            page = self.run(self.replicas[by].get(size=size))
        except BoardNotFound:
            # Asked for in the second before the first version's publisher was killed, untold.
            assert (len(self.scores), self.shown[by]) == (1, 0)
            assert self.clock.now() < self.unknown_until
            return
        assert page.version >= self.shown[by]
        if self.clock.now() >= self.unheard_until:
            assert page.version == len(self.scores)
            assert self.marked <= self.settled or page.freshness == FRESHNESS_STALE
        self.shown[by] = page.version
        everything = self.entries(page.version)
        assert page.total_size == len(everything)
        self.take(page, Walk(page.version, everything, ""), size)

    @rule(by=WHICH, which=st.integers(0, 100), size=st.integers(1, 9))
    def go_on(self, by: int, which: int, size: int) -> None:
        if not self.walks:
            return
        walk = self.walks.pop(which % len(self.walks))
        page: Coroutine[Any, Any, GetLeaderboardResponse]
        page = self.replicas[by].get(size=size, token=walk.token)
        gone = self.superseded_at.get(walk.version)
        if gone is not None and self.clock.now() >= gone + RETENTION:
            with pytest.raises(VersionExpired):
                self.run(page)
            return
        found = self.run(page)
        assert found.version == walk.version
        self.take(found, walk, size)

    def take(self, page: GetLeaderboardResponse, walk: Walk, size: int) -> None:
        shown = [(entry.rank, entry.entity.id, entry.score_e4) for entry in page.entries]
        assert shown == walk.left[:size]
        walk.left, walk.token = walk.left[size:], page.next_page_token
        assert bool(walk.token) == bool(walk.left)
        if walk.left:
            self.walks.append(walk)

    @rule(by=WHICH, capacity=st.sampled_from([2_000, 1_000_000]))
    def crash(self, by: int, capacity: int) -> None:
        """A replica is gone with all that it remembers; another takes its place."""
        self.run(self.replicas[by].close())
        self.replicas[by] = self.replica(capacity)
        self.shown[by] = 0

    @rule(seconds=st.sampled_from([0.4, 1, 5, 45, 3_600, 40_000]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @rule()
    def retire(self) -> None:
        now = self.clock.now()
        self.run(self.retention.retire(now, now - timedelta(minutes=10)))

    @rule()
    def purge(self) -> None:
        """An operator purges all that ran out, without the delay that the schedule leaves."""
        self.run(self.retention.purge_slice(self.clock.now(), 3))

    async def flushed(self) -> None:
        await self.redis.flushdb()

    @rule()
    def forget(self) -> None:
        """Redis comes back empty."""
        self.run(self.flushed())

    def teardown(self) -> None:
        async def closed() -> None:
            for replica in self.replicas:
                await replica.close()
            await self.redis.aclose()
            await self.engine.dispose()

        self.run(closed())


def test_whatever_happens_boards_are_whole_and_walks_are_true(
    database: Database, redis_url: str
) -> None:
    seed_world(database)
    with asyncio.Runner() as runner:

        class Here(Lives):
            def __init__(self) -> None:
                super().__init__(runner, database, redis_url)

        run_state_machine_as_test(
            Here,
            settings=settings(
                max_examples=20,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
