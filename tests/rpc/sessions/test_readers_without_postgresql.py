"""A signed-in reader of a board while PostgreSQL or Redis is away: spared what can be spared."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from laurel.leaderboard.v1 import leaderboard_pb2 as pb
from laurel.leaderboard.v1 import leaderboard_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import RemoteError
from laurel_sessions import IdentitySessions
from tests.integration.leaderboard.test_database_cut import cut_off
from tests.rpc.identity.conftest import Identity, running_identity
from tests.rpc.leaderboard.conftest import Service, running_service
from tests.rpc.sessions.test_identity_sessions import Time
from tests.support.cuttable import CuttableWay, cuttable
from tests.support.database import Database
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    ORGANIZATION,
    BoardOf,
    board_message,
    stream_of,
)
from tests.support.people import EVER, session_of, token_of
from tests.support.rows import Rows
from tests.support.stack_running import until

BOARD = BoardOf({1: 30, 2: 20})
PAGE = pb.GetLeaderboardRequest(board=board_message(CONTRIBUTORS))


@dataclass
class Reading:
    """Leaderboard and identity over one PostgreSQL, and the ways of both to Redis."""

    leaderboard: Service
    identity: Identity
    users: IdentitySessions
    way: CuttableWay
    time: Time

    def reader(self, login: str) -> leaderboard_pb2_grpc.LeaderboardServiceStub:
        """Boards as a user reads them."""
        channel = self.leaderboard.server.channel_with(StaticToken(token_of(login)))
        return leaderboard_pb2_grpc.LeaderboardServiceStub(channel)

    def forget_users(self) -> None:
        """Has leaderboard ask identity again, and identity look again: five seconds later."""
        self.time.seconds += 5.0
        self.identity.forget()


@pytest.fixture
async def reading(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Reading]:
    for each in ("identity", "leaderboard"):
        (tmp_path / each).mkdir()
    time = Time()
    async with (
        cuttable(redis_url) as way,
        running_identity(database, way.url, tmp_path / "identity", monotonic=time) as identity,
    ):
        channel = identity.server.channel(PrincipalKind.SERVICE, name="leaderboard")
        users = IdentitySessions(channel, monotonic=time)
        directory = tmp_path / "leaderboard"
        async with running_service(database, way.url, directory, identity=users) as leaderboard:
            _sign_in(database, identity.clock.now(), "mona", "bob")
            await leaderboard.publish(*stream_of(BOARD, as_of=leaderboard.clock.now()))
            yield Reading(leaderboard, identity, users, way, time)


def _sign_in(database: Database, now: datetime, *logins: str) -> None:
    """Members of the boards' organization, signed in for long."""
    with database.connect() as owner:
        rows = Rows(owner)
        for login in logins:
            user_id, session = rows.user(login=login), session_of(login)
            rows.insert(
                "organization_memberships",
                user_id=user_id,
                organization_id=ORGANIZATION,
                role="member",
            )
            rows.session(user_id, id=session, expires_at=EVER)
            seen = {"session_id": session, "installation_id": INSTALLATION}
            rows.insert("session_installations", **seen)
            rows.insert("session_repositories", **seen, repository_ids=[], read_at=now)


async def places(stub: leaderboard_pb2_grpc.LeaderboardServiceStub) -> tuple[list[int], int]:
    """The ids of a page, and how fresh it is."""
    answer = await stub.GetLeaderboard(PAGE)
    return [entry.entity.id for entry in answer.entries], answer.freshness


async def test_who_was_there_reads_on_without_postgresql_and_a_stranger_learns_why_not(
    reading: Reading, database: Database
) -> None:
    mona, bob = reading.reader("mona"), reading.reader("bob")
    assert await places(mona) == ([1, 2], pb.FRESHNESS_FRESH)
    await reading.identity.flush()
    with cut_off(database):
        for _ in range(3):
            # Neither leaderboard nor identity holds anything back from before.
            reading.forget_users()
            assert (await places(mona))[0] == [1, 2]
        with pytest.raises(RemoteError) as refused:
            await places(bob)
        assert (refused.value.code, refused.value.reason) == (
            "UNAVAILABLE",
            "DEPENDENCY_UNAVAILABLE",
        )
    reading.forget_users()
    reading.leaderboard.inner.pointers.expire()

    async def are_answered() -> bool:
        try:
            seen = [await places(bob), await places(mona)]
        except RemoteError as error:
            return error.code != "UNAVAILABLE"
        return seen == [([1, 2], pb.FRESHNESS_FRESH)] * 2

    await until(are_answered, "both read fresh boards, or are refused for another reason")
    assert await places(bob) == await places(mona) == ([1, 2], pb.FRESHNESS_FRESH)


async def test_nobody_who_is_signed_in_notices_that_redis_is_away(reading: Reading) -> None:
    mona, bob = reading.reader("mona"), reading.reader("bob")
    assert await places(mona) == ([1, 2], pb.FRESHNESS_FRESH)
    reading.way.cut()
    for _ in range(3):
        reading.forget_users()
        reading.leaderboard.inner.pointers.expire()
        for reader in (mona, bob):
            assert await places(reader) == ([1, 2], pb.FRESHNESS_FRESH)
    reading.way.mend()
    reading.forget_users()
    assert await places(mona) == ([1, 2], pb.FRESHNESS_FRESH)


@pytest.mark.parametrize("redis_too", [False, True], ids=["postgresql", "both"])
async def test_what_is_kept_of_a_reader_is_good_for_five_seconds(
    reading: Reading, database: Database, redis_too: bool
) -> None:
    mona = reading.reader("mona")
    await places(mona)
    if redis_too:
        # What identity left there is out of reach.
        await reading.identity.flush()
        reading.way.cut()
    with cut_off(database):
        for seconds in (2.5, 2.4):
            reading.time.seconds += seconds
            reading.leaderboard.clock.advance(timedelta(seconds=seconds))
            reading.identity.forget()
            assert (await places(mona))[0] == [1, 2]
        reading.time.seconds += 0.1
        with pytest.raises(RemoteError) as refused:
            await places(mona)
        assert (refused.value.code, refused.value.reason) == (
            "UNAVAILABLE",
            "DEPENDENCY_UNAVAILABLE",
        )
        assert refused.value.retry_after is not None
        reading.way.mend()
        if redis_too:
            assert (await places(mona))[0] == [1, 2]
    reading.leaderboard.clock.advance(timedelta(seconds=2))

    async def is_fresh() -> bool:
        return (await places(mona)) == ([1, 2], pb.FRESHNESS_FRESH)

    await until(is_fresh, "the board is confirmed")
