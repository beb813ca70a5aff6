"""Boards over a random life: published, broken off, walked, retired, purged, forgotten, in any
order by two replicas that may crash.

Never half a board, never an older version than was shown, no walk that repeats or skips, and no
board called fresh that a change was marked on.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel.leaderboard.v1.leaderboard_pb2 import FRESHNESS_STALE, GetLeaderboardResponse
from laurel_common.testing.clock import FakeClock
from laurel_leaderboard.domain.errors import (
    MalformedBatch,
    NewerVersionExists,
    StreamOutOfOrder,
    VersionExpired,
)
from laurel_leaderboard.storage.retention import PostgresRetention
from tests.integration.leaderboard.conftest import RETENTION, Replica
from tests.support.leaderboard_builders import BoardOf, header_of

STEPS = 140


@dataclass
class Walk:
    """A walk under way: its version, what is left of it, and the next token."""

    version: int
    left: list[tuple[int, int, int]]
    token: str


@dataclass
class Life:
    """What must be true, beside the clock that decides it."""

    clock: FakeClock
    dice: random.Random
    retention: PostgresRetention
    make: Callable[..., Replica]
    replicas: list[Replica]
    scores: list[dict[int, int]] = field(default_factory=list)
    superseded_at: dict[int, datetime] = field(default_factory=dict)
    walks: list[Walk] = field(default_factory=list)
    marked: int = 0
    settled: int = 0

    def replica(self) -> Replica:
        return self.dice.choice(self.replicas)

    def entries(self, version: int) -> list[tuple[int, int, int]]:
        scores = self.scores[version - 1]
        ordered = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
        return [
            (1 + sum(other > score for other in scores.values()), id_, score)
            for id_, score in ordered
        ]

    async def publish(self) -> None:
        self.clock.advance(timedelta(microseconds=1))
        ids = self.dice.sample(range(1, 21), self.dice.randint(0, 20))
        scores = {id_: self.dice.randint(-3, 3) for id_ in ids}
        if self.scores and self.dice.random() < 0.3:
            scores = self.scores[-1]
        elif not self.scores or scores != self.scores[-1]:
            self.superseded_at[len(self.scores)] = self.clock.now()
            self.scores.append(scores)
        mark = self.dice.choice([0, max(0, self.marked - 1), self.marked])
        header = header_of(self.clock.now(), stale_mark=mark)
        await self.replica().publish(BoardOf(scores), header=header)
        self.settled = max(self.settled, mark)

    async def mark(self) -> None:
        self.marked = await self.replica().mark()

    async def publish_late(self) -> None:
        late = header_of(self.clock.now() - timedelta(days=30))
        if self.scores:
            with pytest.raises(NewerVersionExists):
                await self.replica().publish(BoardOf({1: 77}), header=late)

    async def begin_walk(self) -> None:
        if not self.scores:
            return
        size = self.dice.randint(1, 21)
        page = await self.replica().get(size=size)
        assert page.version == len(self.scores)
        assert self.marked == self.settled or page.freshness == FRESHNESS_STALE
        everything = self.entries(page.version)
        assert page.total_size == len(everything)
        self.take(page, Walk(page.version, everything, ""), size)

    async def go_on(self) -> None:
        if not self.walks:
            return
        walk = self.walks.pop(self.dice.randrange(len(self.walks)))
        size = self.dice.randint(1, 9)
        gone = self.superseded_at.get(walk.version)
        if gone is not None and self.clock.now() >= gone + RETENTION:
            with pytest.raises(VersionExpired):
                await self.replica().get(size=size, token=walk.token)
            return
        page = await self.replica().get(size=size, token=walk.token)
        assert page.version == walk.version
        self.take(page, walk, size)

    def take(self, page: GetLeaderboardResponse, walk: Walk, size: int) -> None:
        shown = [(entry.rank, entry.entity.id, entry.score_e4) for entry in page.entries]
        assert shown == walk.left[:size]
        walk.left, walk.token = walk.left[size:], page.next_page_token
        assert bool(walk.token) == bool(walk.left)
        if walk.left:
            self.walks.append(walk)

    async def break_off(self) -> None:
        """A publisher dies before its commit, or is refused: nothing of it is ever seen."""
        replica = self.replica()
        self.clock.advance(timedelta(microseconds=1))
        late = header_of(self.clock.now())
        with pytest.raises(StreamOutOfOrder):
            await replica.publish(BoardOf({1: 99, 2: 98}), header=late, commits=False)
        with pytest.raises(MalformedBatch):
            await replica.publish(BoardOf({1: 99}), header=late, rows=(BoardOf({1: 99, 2: 98}),))

    async def crash(self) -> None:
        """A replica is gone with all that it remembers; another takes its place."""
        await self.replicas.pop(self.dice.randrange(len(self.replicas))).close()
        self.replicas.append(self.make(capacity=self.dice.choice([2_000, 1_000_000])))

    async def purge(self) -> None:
        """An operator purges all that ran out, without the delay that the schedule leaves."""
        await self.retention.purge_slice(self.clock.now(), 3)

    async def wait(self) -> None:
        self.clock.advance(timedelta(seconds=self.dice.choice([0.4, 1, 5, 45, 3600, 40_000])))

    async def retire(self) -> None:
        now = self.clock.now()
        await self.retention.retire(now, now - timedelta(minutes=10))

    async def forget(self) -> None:
        await self.replica().shared._redis.flushdb()


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_boards_are_whole_and_walks_are_true(
    seed: int, replicas: Callable[..., Replica], engine: AsyncEngine, clock: FakeClock
) -> None:
    # The second one's memory holds next to nothing: its reads are Redis's and PostgreSQL's.
    both = [replicas(), replicas(capacity=2_000)]
    dice = random.Random(seed)  # noqa: S311 - a test that can be repeated, no secret
    life = Life(clock, dice, PostgresRetention(engine), replicas, both)
    steps = {
        life.publish: 6,
        life.publish_late: 1,
        life.begin_walk: 8,
        life.go_on: 12,
        life.wait: 4,
        life.retire: 1,
        life.mark: 2,
        life.forget: 1,
        life.break_off: 1,
        life.crash: 1,
        life.purge: 1,
    }
    for step in life.dice.choices(list(steps), list(steps.values()), k=STEPS):
        await step()
    assert len(life.scores) > 5
