"""PostgreSQL and Valkey killed under a running Laurel, and started again by it."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio
from redis import Redis
from redis.exceptions import RedisError

from laurel.common.v1 import board_pb2
from laurel.identity.v1 import directory_lists_pb2, directory_pb2_grpc
from laurel.ingest.v1 import signal_pb2_grpc, signal_reads_pb2
from laurel.leaderboard.v1 import leaderboard_pb2
from laurel_cli.rpc.health import until_serving
from laurel_common.errors import RemoteError
from laurel_embedded import EmbeddedPostgres, EmbeddedValkey
from tests.support.stack_running import Laurel, until
from tests.support.world_actions import (
    get_scoring,
    import_lines,
    reading,
    start_scoring,
    until_scored,
)
from tests.support.world_boards import board
from tests.support.world_holding import hold_table
from tests.support.world_story import Story, tell, watched_boards
from tests.support.world_tenants import Tenant
from tests.support.world_watching import watching

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(laurel_of_its_own: Laurel) -> Story:
    return await tell(laurel_of_its_own, ("geocoder",), length=400, cut=200)


async def test_an_import_goes_on_after_postgresql_was_killed(story: Story) -> None:
    laurel, tenant = story.laurel, story.tenant()
    refused: list[tuple[str, str]] = []
    begun = asyncio.Event()

    async def ask(call: Callable[[Laurel, Tenant], Awaitable[None]]) -> None:
        try:
            await call(laurel, tenant)
        except RemoteError as error:
            refused.append((error.code, error.reason))

    lines = [*story.beginning(tenant), *story.rest(tenant)]
    importing = asyncio.create_task(
        import_lines(laurel, lines, batch_size=30, on_answer=lambda _: begun.set())
    )
    await begun.wait()
    # Somebody is certain to be in the middle of a question when PostgreSQL dies.
    with hold_table(laurel, "teams", "ACCESS EXCLUSIVE") as hold:
        asking = asyncio.create_task(ask(_list_teams))
        await hold.until_waited_for("laurel_identity")
        _kill(_postgres(laurel))
        await asking
        hold.connection.close()
    assert refused, "nobody was refused"
    while not importing.done():
        await ask(_list_signals)
        await asyncio.sleep(0.05)
    (outcome,) = await asyncio.gather(importing, return_exceptions=True)
    assert not isinstance(outcome, RemoteError) or outcome.code == "UNAVAILABLE", outcome
    await _until_well(laurel)
    await import_lines(laurel, lines)
    # Whoever asked meanwhile was told that it is not their fault, and to come back.
    assert {code for code, _ in refused} == {"UNAVAILABLE"}
    assert {reason for _, reason in refused} <= {"DATABASE_UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"}
    await story.check_signals(tenant, story.whole)


async def test_a_scoring_run_outlives_postgresql(story: Story) -> None:
    laurel, tenant = story.laurel, await story.settled()
    await import_lines(laurel, story.rest(tenant))
    boards = watched_boards(tenant)
    async with watching(laurel, boards) as watch:
        with hold_table(laurel, "computed_scores", "SHARE") as hold:
            run = await start_scoring(laurel, tenant.installation_id)
            await hold.until_waited_for("laurel_leaderboard")
            _kill(_postgres(laurel))
            hold.connection.close()
        await _until_well(laurel)
        await until_scored(laurel, await get_scoring(laurel, run))
        await watch.looks_on()
    await story.check_boards(tenant)
    assert any(len(seen) > 1 for seen in watch.versions.values())


async def test_cached_boards_are_served_as_stale_while_postgresql_is_away(story: Story) -> None:
    laurel, tenant = story.laurel, await story.settled()
    wanted = watched_boards(tenant)[0]
    request = leaderboard_pb2.GetLeaderboardRequest(board=wanted)
    async with reading(laurel) as reader:
        before = await reader.page(request)
        assert before.freshness == leaderboard_pb2.FRESHNESS_FRESH
        postgres = _postgres(laurel)
        _kill(postgres)
        answer = await reader.page(request)
        assert answer.entries == before.entries
        await _until_well(laurel)
        again = await reader.page(request)
        assert again.entries == before.entries


async def test_boards_are_read_on_while_valkey_is_dead_and_when_it_is_back(story: Story) -> None:
    laurel, tenant = story.laurel, await story.settled()
    valkey = _valkey(laurel)
    boards = watched_boards(tenant)
    async with reading(laurel) as reader:
        before = [await reader.walk(each, page_size=2) for each in boards]
        _kill(valkey)
        # Other pages than those that are in memory, too.
        during = [await reader.walk(each, page_size=3) for each in boards]
        fresh = [
            await reader.walk(_another(tenant, period), page_size=2)
            for period in ("today", "week", "month")
        ]
        assert [each.entries for each in during] == [each.entries for each in before]
        assert all(each.first.version == 1 for each in fresh)
        await until(lambda: _answers(valkey), "Valkey is back")
        await import_lines(laurel, story.rest(tenant))
        await until_scored(laurel, await start_scoring(laurel, tenant.installation_id))

        async def is_used() -> bool:
            # Who found it dead leaves it alone for some seconds; what comes later is kept in it.
            await reader.walk(boards[0], page_size=2)
            return _keys(valkey)

        await until(is_used, "the cache is used again")
    await story.check_boards(tenant)


async def _list_signals(laurel: Laurel, tenant: Tenant) -> None:
    async with laurel.caller.channel("ingest") as channel:
        stub = signal_pb2_grpc.SignalServiceStub(channel)
        request = signal_reads_pb2.ListSignalsRequest(installation_id=tenant.installation_id)
        await stub.ListSignals(request)


async def _list_teams(laurel: Laurel, tenant: Tenant) -> None:
    async with laurel.caller.channel("identity") as channel:
        stub = directory_pb2_grpc.DirectoryServiceStub(channel)
        request = directory_lists_pb2.ListTeamsRequest(installation_id=tenant.installation_id)
        await stub.ListTeams(request)


def _another(tenant: Tenant, period: str) -> board_pb2.Board:
    return board(tenant.installation_id, "organization", tenant.account_id, "contributor", period)


def _postgres(laurel: Laurel) -> EmbeddedPostgres:
    return next(
        each for each in laurel.stack.servers.embedded if isinstance(each, EmbeddedPostgres)
    )


def _valkey(laurel: Laurel) -> EmbeddedValkey:
    return next(each for each in laurel.stack.servers.embedded if isinstance(each, EmbeddedValkey))


def _kill(server: EmbeddedPostgres | EmbeddedValkey) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)


async def _until_well(laurel: Laurel) -> None:
    """Waits until PostgreSQL is back and every service says that it serves."""
    await until(lambda: _postgres(laurel).running, "PostgreSQL runs again")
    late = await until_serving(laurel.stack.targets, seconds=60)
    assert not late, late


def _answers(valkey: EmbeddedValkey) -> bool:
    try:
        with Redis.from_url(valkey.url()) as client:
            return bool(client.ping())
    except RedisError:
        return False


def _keys(valkey: EmbeddedValkey) -> bool:
    with Redis.from_url(valkey.url()) as client:
        return bool(client.dbsize())
